// The system's own word for why a call failed.

/** `ENOENT` and the like; undefined when the error is not the system's. */
export function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : undefined
}
