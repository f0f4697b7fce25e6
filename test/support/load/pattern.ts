// The bytes that fixtures answer a download with: a byte says its own place (modulo a prime), so that a lost, doubled or
// shifted piece shows, which a run of equal bytes would hide.

const PERIOD = 251
const BLOCK = PERIOD * 1_024

const block = Buffer.alloc(BLOCK)
for (let place = 0; place < BLOCK; place++) block[place] = place % PERIOD

/** Whether `chunk` is what the pattern has from `offset` on. */
export function isPatternAt(chunk: Buffer, offset: number): boolean {
  for (let done = 0; done < chunk.length;) {
    const start = (offset + done) % PERIOD
    const length = Math.min(chunk.length - done, BLOCK - start)
    if (block.compare(chunk, done, done + length, start, start + length) !== 0) return false
    done += length
  }
  return true
}
