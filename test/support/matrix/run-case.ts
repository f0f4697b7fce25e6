// One case of the fault matrix: under load an operation is begun, at a point of it something happens to somebody, and
// everything comes to rest: as one generation, without a request lost that no killed worker explains.

import { setTimeout as pause } from 'node:timers/promises'
import { FAULT_POINTS, type FaultPoint, type Held } from '../../../src/fault-points.ts'
import { startLoad, type Load, type Report } from '../load.ts'
import type { LaneRequest } from '../load/options.ts'
import { LAUNCHER } from '../home.ts'
import { commandOf, endAll, isAlive, sendIfAlive, variableOf } from '../processes.ts'
import { Hopeless, until } from '../until.ts'
import { OPERATIONS, operation, type OperationName } from './operations.ts'
import type { Scene } from './scene.ts'
import { killWorker, stopWorker, unexplained, untilGone, type Victim } from './victims.ts'

export const FAULTS = [
  'kill supervisor',
  'stop supervisor', // for longer than any of its deadlines that a worker could miss
  'kill worker', // that the step is about
  'stop worker',
  'kill another', // worker of the app
  'kill all', // workers of the app
  'kill supervisor and worker',
  'kill supervisor and keeper', // somebody types the same start again
  'kill successor', // the supervisor that is about to take over
] as const

export type Fault = (typeof FAULTS)[number]

export interface Case {
  readonly operation: OperationName
  readonly point: FaultPoint
  readonly fault: Fault
}

/** A flip waits 1 s for a worker, a withdrawal as long. */
const SUPERVISOR_STOPS_MS = 1_500
const REACHED_MS = 15_000
const OVER_MS = 40_000

const LANES: readonly LaneRequest[] = [
  { kind: 'once', connections: 6, postShare: 0.25, expect: { text: 'hello\n' } },
  { kind: 'keepAlive', connections: 14, postShare: 0.25, thinkMs: [0, 30], expect: { text: 'hello\n' } },
  { kind: 'pipelined', connections: 2, thinkMs: [0, 10], expect: { text: 'hello\n' } },
]
const RATE = 500

/** By then a new supervisor has the sockets of those that were before it. */
const SOCKETS_ARE_BACK: ReadonlySet<FaultPoint> = new Set([
  'adoption.found',
  'adoption.agreed',
  'adoption.done',
  'worker.serving',
])

/** Only the workers have the sockets while no supervisor does: when all of those die, the port is closed until others listen. */
function closesThePort({ operation: name, point, fault }: Case): boolean {
  return name === 'adoption' && fault === 'kill all' && !SOCKETS_ARE_BACK.has(point)
}

/** Until it is written down that all is to end, nobody was told, and a supervisor that dies has forgotten it. */
function isForgotten({ point, fault }: Case): boolean {
  return (point === 'state.writing' || point === 'state.drafted') && fault.startsWith('kill supervisor')
}

/** Those that mean something here: of the step's worker only where it is about one that lives. */
function faultsAt(name: OperationName, point: FaultPoint): readonly Fault[] {
  const isAboutWorker = point.startsWith('worker.') && point !== 'worker.forking' && point !== 'worker.exited'
  const { endsAll = false } = operation(name)
  return FAULTS.filter((fault) => {
    if (fault === 'kill successor') return name === 'upgrade' && point !== 'upgrade.dryRun'
    // By then the other one is in charge, with a keeper of its own.
    if (fault === 'kill supervisor and keeper') return !endsAll && point !== 'upgrade.taken'
    return isAboutWorker || !fault.endsWith(' worker')
  })
}

export function casesOf(name: OperationName): readonly Case[] {
  return operation(name).points.flatMap((point) =>
    faultsAt(name, point).map((fault) => ({ operation: name, point, fault })),
  )
}

export function allCases(): readonly Case[] {
  return (Object.keys(OPERATIONS) as OperationName[]).flatMap(casesOf)
}

export function nameOf({ operation: name, point, fault }: Case): string {
  return `${name} · ${point} · ${fault}`
}

/** Fails with what is not as it should be. Answers how many requests the killed workers have cost. */
export async function runCase(scene: Scene, one: Case): Promise<number> {
  const { ready, begin, endsAll = false } = operation(one.operation)
  await ready(scene)
  const before = await scene.untilAtRest()
  const load = await loadOn(scene)
  const bystanders = await scene.pids()
  // What is asked while everything ends may wait for nobody.
  const early = endsAll ? await load.stop() : null
  scene.faults.arm(one.point)
  const over = begin(scene)
  const held = await untilHeld(scene, over, one.point)
  const victims = await attack(scene, held, one.fault, { workers: bystanders, keeper: before.keptBy.pid ?? 0 })
  const own = await Promise.race([over, tooLong()])
  if (own !== null) victims.push(own)
  const stopped = victims.filter((victim) => victim.until === Infinity)
  await Promise.all(stopped.map((victim) => untilGone(victim, 20_000)))
  if (endsAll && !isForgotten(one)) await scene.untilNothingIsLeft()
  else await mustRest(scene, one, before.pid)
  const report = early ?? (await settled(load))
  return closesThePort(one) ? 0 : judge(report, victims)
}

async function loadOn({ loadPort }: Scene): Promise<Load> {
  const target = { host: '127.0.0.1', port: loadPort }
  const load = startLoad({ target, lanes: LANES, ratePerSecond: RATE, durationMs: 120_000 })
  await load.answers(50)
  return load
}

async function tooLong(): Promise<never> {
  await pause(OVER_MS, null, { ref: false })
  throw new Error('The operation never ends')
}

async function mustRest(scene: Scene, { operation: name, fault }: Case, supervisor: number): Promise<void> {
  const { pid } = await scene.untilAtRest()
  const isKilled = name === 'adoption' || name === 'upgrade' || fault.startsWith('kill supervisor')
  if (!isKilled && pid !== supervisor) throw new Error(`Supervisor ${supervisor} has become ${pid}`)
}

async function settled(load: Load): Promise<Report> {
  await load.answers(30)
  return load.stop()
}

function judge(report: Report, victims: readonly Victim[]): number {
  const lost = unexplained(report.firstFailures, victims)
  if (lost.length === 0) return report.failed
  const who = victims.map(({ ports, ...victim }) => ({ ...victim, connections: ports.size }))
  const facts = JSON.stringify({ lost: lost.slice(0, 6), who })
  throw new Error(`${lost.length} of ${report.failed} failed requests are not of a killed worker: ${facts}`)
}

/** Ends early when the operation is over and has not come there. */
async function untilHeld({ faults }: Scene, over: Promise<unknown>, point: FaultPoint): Promise<Held> {
  let overSince: number | null = null
  void over.then(() => (overSince = performance.now()))
  const look = (): Held | null => {
    if (faults.held === null && overSince !== null && performance.now() - overSince > REACHED_MS / 2)
      throw new Hopeless(`The operation never reached ${point}: ${FAULT_POINTS[point]}`)
    return faults.held
  }
  return until(look, REACHED_MS, `it is held at ${point}`)
}

interface Bystanders {
  readonly workers: readonly number[]
  readonly keeper: number
}

async function attack(scene: Scene, held: Held, fault: Fault, { workers, keeper }: Bystanders): Promise<Victim[]> {
  const { loadPort: port, faults } = scene
  const worker = held.worker ?? 0
  const all = [...new Set([...workers, ...workersNow(scene)])].filter(isAlive)
  const victims: (Victim | null)[] = []
  const kill = async (pid: number): Promise<void> => void victims.push(await killWorker(pid, port))
  if (fault === 'kill worker' || fault === 'kill supervisor and worker') await kill(worker)
  if (fault === 'stop worker') victims.push(await stopWorker(worker, port))
  if (fault === 'kill another')
    await Promise.all(
      all
        .filter((pid) => pid !== worker)
        .slice(0, 1)
        .map(kill),
    )
  if (fault === 'kill all') await Promise.all(all.map(kill))
  if (fault === 'stop supervisor') await pause(SUPERVISOR_STOPS_MS)
  if (fault === 'kill successor') await endSuccessor(scene, held.pid)
  if (fault === 'kill supervisor and keeper') await endKeepers(scene, held.pid, keeper)
  if (fault.startsWith('kill supervisor')) {
    sendIfAlive(held.pid, 'SIGKILL')
    await until(() => !isAlive(held.pid), 5_000, 'the supervisor is gone')
    if (fault === 'kill supervisor and keeper') await scene.begin()
  } else await faults.letGo()
  return victims.filter((victim) => victim !== null)
}

/** Its own, and the one that it was brought back by and has not relieved yet. */
async function endKeepers({ home }: Scene, supervisor: number, keeper: number): Promise<void> {
  const keepers = new Set([keeper, ...home.processes().filter(isKeeper)])
  keepers.delete(supervisor)
  for (const pid of keepers) sendIfAlive(pid, 'SIGKILL')
  await until(() => [...keepers].every((pid) => !isAlive(pid)), 5_000, 'the keeper is gone')
}

function isKeeper(pid: number): boolean {
  return commandOf(pid).includes('supervise-keeper')
}

async function endSuccessor({ home }: Scene, supervisor: number): Promise<void> {
  const isOther = (pid: number) => pid !== supervisor && commandOf(pid).includes(`${LAUNCHER} take-over`)
  const found = home.processes().filter((pid) => isOther(pid) && !isKeeper(pid))
  if (found.length !== 1) throw new Error(`${found.length} supervisors are about to take over`)
  await endAll(found)
}

/** The supervisor is held, and cannot be asked. */
function workersNow({ home }: Scene): readonly number[] {
  return home.workers().filter((pid) => variableOf(pid, 'SUPERVISE_APP') === 'web')
}
