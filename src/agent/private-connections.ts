// Which connections have come through a private endpoint. What arrives on them is answered here, whatever the table
// says: it was decided already, or it is a probe of this very worker.

const PRIVATE = Symbol('supervise.private')
type Marked = { readonly [PRIVATE]?: 'client' | 'probe' }

/** `who` is behind it: a client that another worker has introduced, or whoever looks at this worker alone. */
export function markPrivate(socket: object, who: 'client' | 'probe'): void {
  Object.defineProperty(socket, PRIVATE, { value: who, enumerable: false })
}

export function isPrivate(socket: object | null | undefined): boolean {
  const marked: Marked | null | undefined = socket
  return marked?.[PRIVATE] !== undefined
}

/** A health probe, a smoke test or a preview: nothing that a client of the public address has asked. */
export function isProbe(socket: object): boolean {
  const marked: Marked = socket
  return marked[PRIVATE] === 'probe'
}
