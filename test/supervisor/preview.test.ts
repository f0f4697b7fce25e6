// That it reaches the standby group, and only that, is shown by real supervisors in test/e2e/releases.test.ts.

import { linkSync, lstatSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { Preview } from '../../src/supervisor/preview.ts'
import { makeDirectory } from './command-scene.ts'

async function open(path: string) {
  const problems: string[] = []
  const preview = new Preview(
    () => [],
    (problem) => problems.push(problem),
  )
  onTestFinished(() => preview.close())
  await preview.follow({ path })
  return { preview, problems }
}

async function listenAt(path: string): Promise<Server> {
  const server = createServer((socket) => socket.end())
  onTestFinished(() => void server.close())
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return server
}

describe('Preview, at the path of a Unix socket', () => {
  it('takes the place of a socket that nobody answers at', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'preview.sock')
    const server = await listenAt(join(directory, 'bound.sock'))
    linkSync(join(directory, 'bound.sock'), path)
    await new Promise((resolve) => server.close(resolve))
    expect(lstatSync(path).isSocket()).toBe(true)
    const { preview, problems } = await open(path)
    expect([preview.url, problems]).toEqual([`unix:${path}`, []])
  })

  it("leaves another program's socket, a file and a directory alone, and says so", async () => {
    const directory = makeDirectory()
    const [live, file, folder] = [join(directory, 'live.sock'), join(directory, 'file'), join(directory, 'folder')]
    await listenAt(live)
    writeFileSync(file, 'precious')
    mkdirSync(folder)
    const inode = lstatSync(live).ino
    for (const path of [live, file, folder]) {
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const { preview, problems } = await open(path)
      expect(preview.url).toBeNull()
      expect(problems).toEqual([expect.stringContaining(`cannot open the preview at unix:${path}`)])
    }
    expect(lstatSync(live).ino).toBe(inode)
    expect(readFileSync(file, 'utf8')).toBe('precious')
    expect(lstatSync(folder).isDirectory()).toBe(true)
  })

  it('does not open what was closed while it looked', async () => {
    const directory = makeDirectory()
    const path = join(directory, 'preview.sock')
    const server = await listenAt(join(directory, 'bound.sock'))
    linkSync(join(directory, 'bound.sock'), path)
    await new Promise((resolve) => server.close(resolve))
    const preview = new Preview(
      () => [],
      () => {},
    )
    const following = preview.follow({ path })
    preview.close()
    await following
    expect(preview.url).toBeNull()
  })
})
