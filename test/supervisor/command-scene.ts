// A directory and real servers for tests of what is run or asked from outside.

import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** What a command needs to be found at all. */
export const ENV = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' }

/** Removed at the end of the test. */
export function makeDirectory(): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'run-')))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

/** Listens on a path or, without one, on a port; answers where. */
export async function serve(answer: RequestListener, path?: string): Promise<{ server: Server; url: string }> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve)
    else server.listen(path, resolve)
  })
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const address = server.address()
  return { server, url: typeof address === 'object' ? `http://127.0.0.1:${address?.port}` : '' }
}
