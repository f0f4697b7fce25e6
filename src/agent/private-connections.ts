// Which connections have come through a private endpoint. What arrives on them is answered here, whatever the table
// says: it was decided already, or it is a probe of this very worker.

const PRIVATE = Symbol('supervise.private')
type Marked = { readonly [PRIVATE]?: true }

export function markPrivate(socket: object): void {
  Object.defineProperty(socket, PRIVATE, { value: true, enumerable: false })
}

export function isPrivate(socket: object | null | undefined): boolean {
  const marked: Marked | null | undefined = socket
  return marked?.[PRIVATE] === true
}
