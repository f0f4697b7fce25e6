// The fault matrix: whoever is killed or stopped, at whichever step of whichever operation, under load, everything comes to
// rest as one consistent generation, and no request is lost but those that a killed worker had under way.
//
// In CI a few cases that differ most; with SUPERVISE_SOAK=1 all of them, of which SUPERVISE_MATRIX chooses some by a part of
// their names ("flip · ", "kill supervisor").

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FAULT_POINTS } from '../../src/fault-points.ts'
import { OPERATIONS, operation, type OperationName } from '../support/matrix/operations.ts'
import { allCases, casesOf, nameOf, runCase, type Case } from '../support/matrix/run-case.ts'
import { Scene, type Descriptors } from '../support/matrix/scene.ts'
import { ROOT } from '../support/releases.ts'

const isSoak = process.env['SUPERVISE_SOAK'] === '1'
const wanted = process.env['SUPERVISE_MATRIX'] ?? ''

/** Of each kind of fault and of each kind of step at least one. */
const FEW: ReadonlySet<string> = new Set([
  'reload · worker.forked · kill supervisor',
  'reload · worker.withdrawn · kill supervisor and worker',
  'reload · worker.serving · kill all',
  'flip · flip.told · kill supervisor',
  'flip · flip.told · stop supervisor',
  'flip · releases.drafted · kill supervisor',
])

const chosen = allCases().filter((each) =>
  isSoak || wanted !== '' ? nameOf(each).includes(wanted) : FEW.has(nameOf(each)),
)
const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) =>
  chosen.some((one) => one.operation === name),
)

interface Outcome {
  readonly case: string
  readonly tookMs: number
  /** Requests that were under way in workers that were killed. */
  readonly cut: number
  readonly problem: string | null
}

/** One after the other, and a new instance after one that went wrong. */
async function runAll(name: OperationName, cases: readonly Case[]): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  let scene: Scene | null = null
  let before: Descriptors | null = null
  onTestFinished(() => scene?.remove())
  for (const one of cases) {
    const began = performance.now()
    let problem: string | null = null
    let cut = 0
    try {
      if (scene === null) {
        scene = await Scene.start(operation(name).choice)
        before = isAlone(name) ? await scene.descriptorsAfterReload() : null
      }
      cut = await runCase(scene, one)
    } catch (error) {
      problem = error instanceof Error ? error.message : String(error)
      console.log(`${nameOf(one)}\n${scene?.lastEvents()}`)
      await scene?.remove()
      scene = null
    }
    const outcome = { case: nameOf(one), tookMs: Math.round(performance.now() - began), cut, problem }
    outcomes.push(outcome)
    console.log(`${outcome.case}: ${problem ?? `converged, ${cut} cut`} (${outcome.tookMs} ms)`)
  }
  if (scene !== null && before !== null) mustHaveKept(before, await scene.descriptorsAfterReload())
  return outcomes
}

/** Where a reload means the same before and after. */
function isAlone(name: OperationName): boolean {
  return operation(name).choice === OPERATIONS.reload.choice && operation(name).endsAll !== true
}

/** A connection or a file that is just being closed is no leak. */
const OPEN_BY_CHANCE = 4

function mustHaveKept(before: Descriptors, after: Descriptors): void {
  expect(after.supervisor, 'descriptors of the supervisor').toBeLessThanOrEqual(before.supervisor + OPEN_BY_CHANCE)
  expect(after.worker, 'descriptors of a worker').toBeLessThanOrEqual(before.worker + OPEN_BY_CHANCE)
}

function keep(name: OperationName, outcomes: readonly Outcome[]): void {
  const directory = join(ROOT, 'bench/results/matrix')
  mkdirSync(directory, { recursive: true })
  const problems = outcomes.filter(({ problem }) => problem !== null)
  const result = {
    at: new Date().toISOString(),
    operation: name,
    cases: outcomes.length,
    converged: outcomes.length - problems.length,
    cut: outcomes.reduce((sum, { cut }) => sum + cut, 0),
    slowestMs: Math.max(...outcomes.map(({ tookMs }) => tookMs)),
    problems,
  }
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(result, null, 2)}\n`)
}

/** Steps that the matrix does not attack, and who does. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'rollout.awaiting': 'rollout-outlives-supervisor.test.ts',
  'rollout.retiring': 'rollout-outlives-supervisor.test.ts',
  'rollout.heldUp': 'release-moves.test.ts: nothing that is known leads to it from outside',
}

/** Begins each once, with nothing happening to it; answers the points of it that were not reached. */
async function unreached(operations: readonly OperationName[]): Promise<readonly string[]> {
  const [first] = operations
  if (first === undefined) return []
  const scene = await Scene.start(operation(first).choice)
  onTestFinished(() => scene.remove())
  const missing: string[] = []
  for (const name of operations) {
    const { ready, begin, points, endsAll } = operation(name)
    await ready(scene)
    await scene.untilAtRest()
    scene.faults.takeTrace()
    await begin(scene)
    await (endsAll ? scene.untilNothingIsLeft() : scene.untilAtRest())
    const trace = new Set(scene.faults.takeTrace())
    missing.push(...points.filter((point) => !trace.has(point)).map((point) => `${name}: ${point}`))
  }
  return missing
}

describe('the fault matrix', () => {
  it('attacks every step that has a name', () => {
    const attacked = new Set<string>(Object.values(OPERATIONS).flatMap(({ points }) => points))
    const others = Object.keys(FAULT_POINTS).filter((point) => !attacked.has(point))
    expect(others.toSorted()).toEqual(Object.keys(ELSEWHERE).toSorted())
    const known = new Set(allCases().map(nameOf))
    expect([...FEW].filter((name) => !known.has(name))).toEqual([])
  })

  it('each operation passes through the steps that it is attacked at', async () => {
    const all = Object.keys(OPERATIONS) as OperationName[]
    const scenes = Map.groupBy(all, (name) => operation(name).choice)
    expect((await Promise.all([...scenes.values()].map(unreached))).flat()).toEqual([])
  })

  it.each(names)(
    '%s: converges, and only a killed worker costs requests (S3)',
    { timeout: 5_400_000 },
    async (name) => {
      const cases = chosen.filter((one) => one.operation === name)
      const outcomes = await runAll(name, cases)
      if (cases.length === casesOf(name).length) keep(name, outcomes)
      console.log(`${name}: ${outcomes.filter(({ problem }) => problem === null).length} of ${cases.length} converged`)
      expect(outcomes.filter(({ problem }) => problem !== null)).toEqual([])
    },
  )
})
