// What failed calls of Node throw, which TypeScript knows as `unknown`.

/** The error's code, such as `ENOENT`, else its message. */
export function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
