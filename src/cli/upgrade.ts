// `supervise upgrade`: the installation that was typed takes over from the supervisor that runs.

import { realpathSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import type { Command } from 'commander'
import { parseDuration } from '../config/quantities.ts'
import type { UpgradeResult } from '../control/messages.ts'
import { packageVersion } from '../control/package-version.ts'
import { EXIT, SuperviseError, type ExitCode } from '../errors.ts'
import { wrongUsage } from '../errors/cli.ts'
import { upgradeUnknown } from '../errors/upgrade.ts'
import { chooseInstance, readStatus, type Instance } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { addExamples } from './program.ts'

const TAKE_UP_MS = 5_000
const LOOK_MS = 50

interface UpgradeOptions {
  readonly dryRun?: boolean
  readonly wait?: string
}

export function define(command: Command, invocation: Invocation): void {
  command
    .description(
      'Starts the version of supervise that is typed here in the place of the one that runs. It is checked first; then it ' +
        'takes sockets and workers over, which serve all the while with the same pids. When it cannot, the one that runs ' +
        'stays in charge, and the exit code is 5.',
    )
    .option('--dry-run', 'only check whether it could')
    .option('--wait <duration>', 'how long an operation under way, such as a reload, may take to its end', '1m')
    .action(async (options: UpgradeOptions) => {
      invocation.exitCode = await upgrade(options, invocation)
    })
  addExamples(command, [
    { command: 'supervise upgrade', does: 'after `npm i -g supervise@latest`, or after going back to an earlier one' },
    { command: 'supervise upgrade --dry-run', does: 'says whether this version could take over' },
  ])
}

async function upgrade({ dryRun = false, wait = '1m' }: UpgradeOptions, invocation: Invocation): Promise<ExitCode> {
  const waitMs = parseDuration(wait)
  if (waitMs === null)
    throw wrongUsage(`wait for "${wait}": it is not a duration`, 'Give one with a unit, such as --wait 10m.')
  const instance = await chooseInstance(invocation)
  const { output } = invocation
  if (!dryRun) await tellWhatIsAwaited(instance, invocation)
  const launcher = realpathSync(process.argv[1] ?? '')
  const request = { node: process.execPath, launcher, dryRun, waitMs }
  const result = await ask(instance, request)
  if (!dryRun) await untilTakenUp(instance)
  if (output.json) output.document(result)
  else output.lines(upgradeWords(result))
  return EXIT.ok
}

async function ask(instance: Instance, request: object): Promise<UpgradeResult> {
  try {
    return await instance.client.send<UpgradeResult>('POST', '/v1/upgrade', request)
  } catch (error) {
    const isOlder = error instanceof SuperviseError && error.code === 'UNKNOWN_ROUTE'
    throw isOlder ? upgradeUnknown(instance.name, (await readStatus(instance)).version) : error
  }
}

/** The new one has the workers, and looks at each once more before it says that their apps are online. */
async function untilTakenUp(instance: Instance): Promise<void> {
  const deadline = performance.now() + TAKE_UP_MS
  for (;;) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    const isOver = await readStatus(instance).then(
      ({ apps }) => apps.every(({ state }) => state !== 'starting'),
      () => false,
    )
    if (isOver || performance.now() > deadline) return
    // oxlint-disable-next-line no-await-in-loop
    await delay(LOOK_MS)
  }
}

async function tellWhatIsAwaited(instance: Instance, { output }: Invocation): Promise<void> {
  const { apps, version } = await readStatus(instance)
  const to = packageVersion()
  output.talk(
    version === to
      ? `${instance.name}: version ${to} runs already; it is replaced by the same version`
      : `${instance.name}: from version ${version} to ${to}`,
  )
  for (const { name, operation } of apps)
    if (operation !== null && operation !== undefined)
      output.talk(`${name}: waiting for the end of the ${operation.kind}`)
}

export function upgradeWords({
  instance,
  dryRun,
  from,
  to,
  nodeVersion,
  newPid,
  handOverMs,
  notes,
}: UpgradeResult): readonly string[] {
  const said = notes.map((note) => `Note: ${note}`)
  const before = from === to ? 'the same version' : `version ${from}`
  if (dryRun)
    return [
      `${instance}: version ${to} (Node ${nodeVersion}) could take over from ${before}; nothing was changed`,
      ...said,
    ]
  return [
    `${instance}: version ${to} (pid ${newPid}) took over from ${before} within ${handOverMs} ms; every worker serves on`,
    ...said,
  ]
}
