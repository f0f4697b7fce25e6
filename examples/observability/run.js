// Runs an app with its metrics, and a Prometheus that reads them, until Ctrl-C. Nothing of it is left afterwards.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = (path) => fileURLToPath(new URL(path, import.meta.url))
const directory = mkdtempSync(join(tmpdir(), 'obs-'))
for (const part of ['run', 'state']) mkdirSync(join(directory, part), { mode: 0o700 })
const env = {
  ...process.env,
  SUPERVISE_RUNTIME_DIR: join(directory, 'run'),
  XDG_STATE_HOME: join(directory, 'state'),
}

// In a process group of its own: Ctrl-C reaches this program alone, which ends both in their order.
const start = (program, args) => spawn(program, args, { env, stdio: ['ignore', 'inherit', 'inherit'], detached: true })

const app = ['start', here('../http/server.js'), '--name', 'web', '--port', '3000', '--slo', '99.9, 500ms 99']
const supervise = start(process.execPath, [here('../../bin/supervise.js'), ...app, '--admin', '127.0.0.1:9615'])
const prometheus = start('prometheus', [
  `--config.file=${here('prometheus.yml')}`,
  `--storage.tsdb.path=${join(directory, 'prometheus')}`,
  '--web.listen-address=127.0.0.1:9090',
  '--log.level=warn',
])
prometheus.on('error', () => {
  console.log('There is no Prometheus here: install it (apt-get install prometheus), or let another one read')
  console.log('  http://127.0.0.1:9615/metrics')
})
prometheus.once('spawn', () => console.log('Prometheus: http://127.0.0.1:9090, alerts at /alerts'))
console.log('The app: http://127.0.0.1:3000, its metrics: http://127.0.0.1:9615/metrics. Ctrl-C ends all of it.')

const ended = [once(supervise, 'close'), once(prometheus, 'close').catch(() => {})]
const end = () => {
  supervise.kill('SIGTERM')
  prometheus.kill('SIGTERM')
}
process.on('SIGINT', end)
process.on('SIGTERM', end)
// Without the app there is nothing to be read.
await ended[0]
prometheus.kill('SIGTERM')
await ended[1]
rmSync(directory, { recursive: true, force: true })
