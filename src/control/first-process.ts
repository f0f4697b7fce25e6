// The first process of a container (PID 1). The kernel gives it every orphan, and it must wait for them when they end; Node
// waits for its own children alone (measured: three orphans, three zombies). A shell waits for whatever ends, so a
// supervisor that finds itself first becomes one, under the same pid, and is started again as its child.
//
// The shell passes signals on, ends with the supervisor's exit code, or 128 and the number of the signal that ended it, and
// brings back a supervisor that was killed: its workers serve on meanwhile, and are drained by the next one when the
// container is to end.

import { spawnSync } from 'node:child_process'
import type { EventLog } from '../telemetry/events.ts'
import { isHandled, type Handled } from './signal-desk.ts'

/** `<deaths> <signals>`: how many supervisors died before this one, and what nobody was there to hear. Set by the shell. */
const VARIABLE = 'SUPERVISE_FIRST_PROCESS'
const SHELL = '/bin/sh'
const CAUSE = 'first process'

/**
 * For dash, bash and the shell of BusyBox. A signal that arrives while there is no child is told to the next one, which would
 * die of it before it can listen. In a terminal, INT, QUIT and HUP reach the whole foreground group by themselves, and a
 * second one would mean "now". A supervisor that dies while it is to end is brought back once, to end. Six deaths, each
 * within ten seconds, end the container: whoever runs it waits longer each time.
 */
export const SCRIPT = `
child= waiting= ending= deaths=0
pass() {
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; else waiting="$waiting $1"; fi
}
end() {
  ending=$1
  if [ -n "$child" ]; then kill -s "$1" "$child" 2>/dev/null; fi
}
trap 'end TERM' TERM
if [ -t 0 ]; then
  trap 'ending=TERM' INT QUIT HUP
else
  trap 'end INT' INT
  trap 'end QUIT' QUIT
  trap 'pass HUP' HUP
fi
trap 'pass USR1' USR1
trap 'pass USR2' USR2
trap 'pass TTIN' TTIN
trap 'pass TTOU' TTOU
exec 3<&0
while :; do
  began=$(date +%s)
  told=$ending
  missed=$waiting waiting=
  ${VARIABLE}="$deaths$missed\${told:+ $told}" "$@" <&3 3<&- &
  child=$!
  for signal in $waiting; do kill -s "$signal" "$child"; done
  waiting=
  if [ "$ending" != "$told" ]; then kill -s "$ending" "$child"; fi
  while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
  done
  child=
  if [ "$code" -le 128 ] || [ -n "$told" ]; then exit "$code"; fi
  if [ "$code" -eq 130 ] && [ "$deaths" -eq 0 ]; then exit "$code"; fi
  if [ $(($(date +%s) - began)) -ge 10 ]; then deaths=0; fi
  deaths=$((deaths + 1))
  if [ "$deaths" -gt 5 ]; then exit "$code"; fi
  if [ -z "$ending" ]; then sleep 0.1 2>/dev/null || sleep 1; fi
done
`

/** Does not return when this process is the first one and can become a shell that starts the same command. */
export function becomeFirstProcess(): void {
  if (process.pid !== 1 || whyNoShell() !== null) return
  const command = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  process.execve?.(SHELL, ['sh', '-c', SCRIPT, 'supervise', ...command], process.env)
}

/** What this supervisor is to its container's first process. */
export class FirstProcess {
  /** It is the shell above, which starts this supervisor again should it be killed. */
  readonly bringsBack: boolean
  /** What it was sent while there was no supervisor. */
  readonly missed: readonly Handled[]

  /** Takes the variable out of this process's environment, so call it once. */
  constructor(events: EventLog, environment = process.env, { pid, ppid } = process) {
    const told = ppid === 1 ? environment[VARIABLE] : undefined
    delete environment[VARIABLE]
    const [deaths, ...signals] = told?.split(' ') ?? []
    this.bringsBack = deaths !== undefined
    this.missed = signals.map((signal) => `SIG${signal}`).filter(isHandled)
    if (pid === 1) {
      const text = `this is the first process of its container, and could not become a shell that waits for orphans, since ${whyNoShell() ?? 'it was not asked to'}: Node leaves them as zombies; run the container with an init (docker run --init, \`init: true\` in compose, tini as ENTRYPOINT, shareProcessNamespace in Kubernetes)`
      events.record({ type: 'firstProcess', app: null, text, cause: CAUSE }, 'warn')
    }
    if (deaths === undefined || deaths === '0') return
    const text = 'the supervisor before this one was killed; brought back by the first process of the container'
    events.record(
      { type: 'supervisorBroughtBack', app: null, text, cause: CAUSE, data: { deaths: Number(deaths) } },
      'warn',
    )
  }
}

/** Why this process stays what it is; null when it can become a shell. A failed attempt would end the container. */
export function whyNoShell(environment: Readonly<Record<string, string | undefined>> = process.env): string | null {
  // They are meant for this pid, and Node closes them on the way.
  if (environment['LISTEN_FDS'] !== undefined) return 'it was given sockets (LISTEN_FDS)'
  if (process.execve === undefined) return 'this Node cannot'
  const { status } = spawnSync(SHELL, ['-c', 'command -v sleep date >/dev/null'], { stdio: 'ignore' })
  return status === 0 ? null : `there is no ${SHELL}`
}
