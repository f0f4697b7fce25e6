// A service manager that passes what nobody asked for and does not read what it is told: what can be used is used, an event
// says what cannot, and start, reload and stop neither hang nor fail.

import { spawnSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { startSupervise } from '../support/harness.ts'
import { makeHome, TEST_NODE } from '../support/home.ts'
import { eventsOf, untilEvent } from '../support/instance-facts.ts'
import { fixture } from '../support/releases.ts'

const hasPython = spawnSync('python3', ['--version']).status === 0

/** Becomes Node, as a unit's process would be: descriptors from 3 on, and the variables for this pid. */
const MANAGER = `#!/usr/bin/env python3
import os, socket, sys
place = os.environ["PLACE"]
def tcp(port):
    one = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    one.bind(("127.0.0.1", port))
    one.listen(511)
    return one
manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind(place + "/notify")
notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
notify.connect(place + "/notify")
notify.setblocking(False)
try:
    while True: notify.send(b"X=1")
except BlockingIOError: pass
notify.setblocking(True)
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("127.0.0.1", 0))
os.mkfifo(place + "/fifo")
fifo = os.open(place + "/fifo", os.O_RDWR)
plain = os.open(place + "/plain", os.O_RDWR | os.O_CREAT)
wrong, web, web2, command = [tcp(int(os.environ[name])) for name in ("WRONG", "WEB", "WEB", "COMMAND")]
passed = [notify.fileno(), udp.fileno(), fifo, plain, wrong.fileno(), web.fileno(), web2.fileno(), command.fileno()]
for at, fd in enumerate(passed): os.dup2(fd, 40 + at)
os.dup2(manager.fileno(), 60)
for at in range(len(passed)): os.dup2(40 + at, 3 + at)
os.closerange(3 + len(passed), 60)
# One more than there are, and fewer names.
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(passed) + 1), LISTEN_FDNAMES=".notify:udp::pl%41in")
node = "${TEST_NODE}"
os.execv(node, [node] + sys.argv[1:])
`

it.skipIf(!hasPython)('descriptors that are wrong, too many or full cost an event each (Y6)', async () => {
  const home = makeHome()
  const [webPort, commandPort, wrongPort] = [await freePort(), await freePort(), await freePort()]
  const node = join(home.directory, 'manager.py')
  writeFileSync(node, MANAGER)
  chmodSync(node, 0o755)
  const web = { name: 'web', script: fixture('hello.js'), workers: 2, env: { PORT: `${webPort}`, HOST: '127.0.0.1' } }
  const program = ['python3', fixture('command/listens.py')]
  const command = { name: 'command', command: program, listen: [`127.0.0.1:${commandPort}`], workers: 1 }
  const config = join(home.work, 'supervise.config.json')
  writeFileSync(config, JSON.stringify({ apps: [web, command] }))
  const env = { PLACE: home.directory, WEB: `${webPort}`, COMMAND: `${commandPort}`, WRONG: `${wrongPort}` }
  const supervise = await startSupervise([config], { home, node, env })

  expect((await get({ host: '127.0.0.1', port: webPort })).status).toBe(200)
  expect((await get({ host: '127.0.0.1', port: commandPort })).text).toBe('hello\n')
  expect((await supervise.app('web')).listeners).toEqual([expect.objectContaining({ port: webPort, slots: 2 })])
  await untilEvent(supervise, 'managerSilent')
  const refused = (await eventsOf(supervise, 'socketRefused')).map(({ text }) => text)
  for (const name of ['descriptor 4 (udp)', 'descriptor 5 (unknown)', 'descriptor 6 (pl%41in)', 'descriptor 11'])
    expect(refused).toContainEqual(expect.stringContaining(name))
  expect(refused).toHaveLength(4)
  expect((await eventsOf(supervise, 'socketUnused'))[0]?.text).toContain(`127.0.0.1:${wrongPort}`)
  const [worker = 0] = await supervise.pids('web')
  expect(readFileSync(`/proc/${worker}/environ`, 'utf8')).not.toMatch(/LISTEN_|NOTIFY_SOCKET/)

  for (const app of ['web', 'command']) expect((await supervise.cli('reload', app)).code).toBe(0)
  expect((await get({ host: '127.0.0.1', port: webPort })).status).toBe(200)
  expect((await get({ host: '127.0.0.1', port: commandPort })).text).toBe('hello\n')
  expect((await supervise.stop()).code).toBe(0)
})
