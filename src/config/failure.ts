// What failed calls of Node throw, which TypeScript knows as `unknown`.

/** The system's own word for why, such as `ENOENT`; undefined when the error is not the system's. */
export function systemCodeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}

/** That, else its message. */
export function codeOf(error: unknown): string {
  return systemCodeOf(error) ?? messageOf(error)
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
