// `supervise chaos`: rehearses failures on an app that runs, and tells what users saw of them.

import { Option, type Command } from 'commander'
import { share } from '../config/deploy-parsers.ts'
import { formatDuration, parseDuration, parseSize } from '../config/quantities.ts'
import type { FaultKind } from '../control/chaos-messages.ts'
import { CHAOS_LIMITS, FAULT_KINDS } from '../control/chaos-values.ts'
import type { ChaosOutlook, ChaosRequest } from '../control/messages.ts'
import { EXIT, type ExitCode } from '../errors.ts'
import { cannotRehearse, chaosUnconfirmed } from '../errors/chaos.ts'
import { wrongUsage } from '../errors/cli.ts'
import { reportOf } from './chaos-report.ts'
import { runChaos, type ChaosOrder } from './chaos-run.ts'
import { renderChaosLine, renderOutlook, renderReport } from './chaos-view.ts'
import { chooseApp, readStatus, type AppTarget } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { restartOf, restartsAfterKill, unitOf } from './own-unit.ts'
import { addExamples } from './program.ts'

interface ChaosOptions {
  readonly yes?: boolean
  readonly for: string
  readonly every: string
  readonly only?: string
  readonly seed?: string
  readonly stopWhen: string
  readonly memory?: string
  readonly delay: string
  readonly path: string
  readonly connections: string
  readonly within: string
  readonly duringRollout?: boolean
}

/** Each request is kept until the report: half an hour of these are some 100 MB. */
const MOST_CONNECTIONS = 20

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .description(
      'Kills, stops, hangs and slows down workers one after the other, fills the memory of one, and tells what users saw of it: ' +
        'a probe asks the app all the time. The last worker that serves is never taken, one fault at a time is done, and all of ' +
        'it is bounded in time. Succeeds when the app recovered from every fault and no request failed but those under way in a ' +
        'worker that was taken. Without --yes it says what it would do. Ctrl-C ends it at once, and what can be undone is.',
    )
    .option('--yes', 'do it')
    .option('--for <duration>', 'how long, at most 30m', '1m')
    .option('--every <duration>', 'how long from one fault to the next, at least 1s', '5s')
    .option('--only <kinds>', `some of ${FAULT_KINDS.join(', ')}; all but supervisor when left out`)
    .option('--seed <number>', 'the same faults on the same workers again; by chance when left out')
    .option('--stop-when <share>', 'end early when more of the requests of the last 10 s failed', '20%')
    .option('--memory <size>', 'how much `memory` takes; past maxMemory when left out, or 128M without one')
    .option('--delay <duration>', 'by how much `delay` delays', '200ms')
    .option('--path <path>', 'what the probe asks for', '/')
    .addOption(
      new Option('--connections <number>', `how many the probe asks with, at most ${MOST_CONNECTIONS}`).default('4'),
    )
    .option('--within <duration>', 'how long the probe waits for an answer', '5s')
    .option('--during-rollout', 'also while an operation or a rollout is under way')
    .action(async (app: string | undefined, options: ChaosOptions) => {
      const order = readOrder(options)
      invocation.exitCode = await chaos(await chooseApp(app ?? null, 'chaos', invocation), order, options, invocation)
    })
  addExamples(command, [
    { command: 'supervise chaos web', does: 'says what would be done, and does nothing' },
    { command: 'supervise chaos web --yes', does: 'a minute of it' },
    { command: 'supervise chaos web --yes --only kill --every 2s --seed 7', does: 'the same kills again' },
    { command: 'supervise chaos web --yes --only kill,supervisor', does: 'kills the supervisor, too' },
  ])
}

async function chaos(
  target: AppTarget,
  order: ChaosOrder,
  options: ChaosOptions,
  invocation: Invocation,
): Promise<ExitCode> {
  const { output } = invocation
  const { name } = target.app
  if (order.request.only?.includes('supervisor') === true) await refuseUnkept(target)
  if (options.yes !== true) throw await unconfirmed(target, order.request, invocation)
  const outcome = await runChaos(target, order, (line) => {
    const text = renderChaosLine(line)
    if (text !== null && !output.json) output.talk(text)
  })
  const report = reportOf(outcome)
  const { seed, endedBecause } = outcome
  if (output.json) output.document({ app: name, seed, forMs: order.request.forMs, endedBecause, ...report })
  else output.lines(renderReport(name, report, output.paint))
  if (outcome.interrupted) return EXIT.interrupted
  return report.passed ? EXIT.ok : EXIT.failed
}

async function unconfirmed({ client, app }: AppTarget, request: ChaosRequest, { typed }: Invocation) {
  const { forMs, everyMs, only } = request
  const outlook = await client.get<ChaosOutlook>(appPath(app.name, 'chaos'), { forMs })
  const kinds = only ?? FAULT_KINDS.filter((kind) => kind !== 'supervisor')
  const areNamed = only !== undefined
  const isRefused = areNamed && outlook.faults.some(({ kind, whyNot }) => only.includes(kind) && whyNot !== null)
  const timing = `For ${formatDuration(forMs)}, every ${formatDuration(everyMs)}`
  return chaosUnconfirmed(app.name, renderOutlook(outlook, { kinds, areNamed }, timing), isRefused ? null : typed)
}

/** The supervisor knows that it has a service manager, and not whether that starts it again. */
async function refuseUnkept(target: AppTarget): Promise<void> {
  const { keptBy, pid } = await readStatus(target)
  const unit = keptBy.who === 'systemd' ? unitOf(pid) : null
  const restart = unit === null ? null : restartOf(unit)
  if (unit === null || restart === null || restartsAfterKill(restart)) return
  const why = `${unit.name} is not started again after a kill (Restart=${restart})`
  throw cannotRehearse(target.app.name, 'supervisor', { why, remedy: 'unit' })
}

function readOrder(options: ChaosOptions): ChaosOrder {
  const { memory, only, seed, duringRollout } = options
  const stopWhen = share.parse(options.stopWhen, '')
  if (!stopWhen.ok) throw wrongUsage(`read --stop-when "${options.stopWhen}"`, 'Give a share such as 5%.')
  if (!options.path.startsWith('/')) throw wrongUsage(`ask for "${options.path}"`, 'Begin --path with a slash.')
  const { forMs, everyMs, delayMs, memoryBytes } = CHAOS_LIMITS
  return {
    request: {
      forMs: durationIn('--for', options.for, forMs),
      everyMs: durationIn('--every', options.every, everyMs),
      delayMs: durationIn('--delay', options.delay, delayMs),
      ...(memory !== undefined && { memoryBytes: within('--memory', memory, parseSize(memory), memoryBytes) }),
      ...(only !== undefined && { only: kindsIn(only) }),
      ...(seed !== undefined && { seed: wholeNumber('--seed', seed, { least: 0, most: Number.MAX_SAFE_INTEGER }) }),
      ...(duringRollout === true && { duringRollout }),
    },
    probe: {
      path: options.path,
      connections: wholeNumber('--connections', options.connections, { least: 1, most: MOST_CONNECTIONS }),
      withinMs: durationIn('--within', options.within, { least: 10, most: 60_000 }),
    },
    stopWhen: stopWhen.value,
  }
}

interface Limit {
  readonly least: number
  readonly most: number
}

function durationIn(flag: string, text: string, limit: Limit): number {
  return within(flag, text, parseDuration(text), limit, formatDuration)
}

function wholeNumber(flag: string, text: string, limit: Limit): number {
  return within(flag, text, /^\d{1,16}$/.test(text) ? Number(text) : null, limit)
}

// oxlint-disable-next-line max-params
function within(
  flag: string,
  text: string,
  value: number | null,
  { least, most }: Limit,
  show: (value: number) => string = String,
): number {
  if (value !== null && value >= least && value <= most) return value
  throw wrongUsage(`read ${flag} "${text}"`, `Give something from ${show(least)} to ${show(most)}.`)
}

function kindsIn(text: string): readonly FaultKind[] {
  const words = text.split(',').map((word) => word.trim())
  const kinds = words.flatMap((word) => FAULT_KINDS.find((kind) => kind === word) ?? [])
  const stranger = words.find((word) => !FAULT_KINDS.some((kind) => kind === word))
  if (stranger !== undefined) throw wrongUsage(`rehearse "${stranger}"`, `There is ${FAULT_KINDS.join(', ')}.`)
  return kinds
}
