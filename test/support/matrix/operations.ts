// The operations of the fault matrix: how each is begun, and the points on its way at which something happens to it.

import type { FaultPoint } from '../../../src/fault-points.ts'
import { LAUNCHER, TEST_NODE } from '../home.ts'
import { sendIfAlive } from '../processes.ts'
import { BROKEN, type Scene, type SceneChoice } from './scene.ts'
import { killWorker, type Victim } from './victims.ts'

export interface Operation {
  readonly choice: SceneChoice
  readonly points: readonly FaultPoint[]
  /** Brings the scene to where it can begin. */
  ready(scene: Scene): Promise<void>
  /** Resolves when it is over, or when nobody answers any more; with a worker that it killed itself. */
  begin(scene: Scene): Promise<Victim | null>
  /** It leaves nothing running. */
  readonly endsAll?: true
}

const STATE = ['state.writing', 'state.drafted', 'state.written'] as const
const BOOKS = ['releases.writing', 'releases.drafted', 'releases.written'] as const
const BOOT = ['worker.forking', 'worker.forked', 'worker.linked', 'worker.ready'] as const
const DRAIN = ['worker.draining', 'worker.withdrawn', 'worker.stopping', 'worker.exited'] as const
const FLIP = ['flip.begun', 'flip.told', 'flip.active', 'flip.done'] as const

const ALONE: SceneChoice = { keep: '0', bake: '0', other: false }
const PAIR: SceneChoice = { keep: '10m', bake: '0', other: false }
const BAKING: SceneChoice = { keep: '0', bake: '10m', other: false }
const BESIDE: SceneChoice = { keep: '0', bake: '0', other: true }
/** A start is of all workers or of none, and says so: then it is typed again. */
const MAY_FAIL: SceneChoice = { ...BESIDE, mayFail: true }

const nothing = async (): Promise<void> => {}

async function posted(scene: Scene, path: string, body?: unknown): Promise<null> {
  await scene.post(path, body)
  return null
}

/** The next release: 2 after 1, and 1 after 2. */
async function deploy(scene: Scene): Promise<null> {
  const next = (await scene.version()) === '1' ? '2' : '1'
  return posted(scene, '/v1/apps/web/deploy', { path: scene.release(next), version: next })
}

async function isStopped(scene: Scene): Promise<boolean> {
  const { state } = await scene.app()
  return state === 'stopped' || state === 'failed'
}

async function hasPair(scene: Scene): Promise<boolean> {
  const { groups } = await scene.app()
  return groups.blue !== null && groups.green !== null
}

export const OPERATIONS = {
  reload: {
    choice: ALONE,
    points: ['reload.begun', ...BOOT, 'worker.serving', ...DRAIN, 'reload.replaced', 'reload.moved', ...STATE],
    ready: nothing,
    begin: (scene) => posted(scene, '/v1/apps/web/reload'),
  },
  deploy: {
    choice: ALONE,
    points: [
      'rollout.starting',
      'rollout.ready',
      'rollout.smoking',
      'rollout.flipping',
      'rollout.baking',
      'rollout.endingOld',
      'rollout.done',
      'worker.standby',
      'worker.serving',
      ...BOOT,
      ...DRAIN,
      ...FLIP,
      ...STATE,
      ...BOOKS,
    ] as FaultPoint[],
    ready: nothing,
    begin: deploy,
  },
  flip: {
    choice: PAIR,
    points: [...FLIP, 'worker.standby', 'worker.ready', 'rollout.withdrawn', ...STATE, ...BOOKS],
    async ready(scene) {
      if (!(await hasPair(scene))) await deploy(scene)
      // From the new release to the old one, so that each case is the same.
      await scene.untilAtRest()
      if ((await scene.app()).rollout?.step === 'withdrawn') await scene.post('/v1/apps/web/flip')
    },
    begin: (scene) => posted(scene, '/v1/apps/web/flip'),
  },
  refused: {
    choice: ALONE,
    points: ['worker.forked', 'worker.exited', 'rollout.endingNew', 'rollout.done', ...BOOKS],
    ready: nothing,
    begin: (scene) => posted(scene, '/v1/apps/web/deploy', { path: scene.release(BROKEN), version: BROKEN }),
  },
  goBack: {
    choice: BAKING,
    points: ['rollout.goingBack', 'rollout.endingNew', 'rollout.done', ...FLIP, ...DRAIN, ...BOOKS],
    async ready(scene) {
      if ((await scene.app()).rollout?.step !== 'baking') await deploy(scene)
    },
    begin: (scene) => posted(scene, '/v1/apps/web/abort'),
  },
  crash: {
    choice: ALONE,
    points: ['worker.exited', ...BOOT, 'worker.serving', ...STATE],
    ready: nothing,
    async begin(scene) {
      const [first = 0] = await scene.pids()
      return killWorker(first, scene.port)
    },
  },
  adoption: {
    choice: ALONE,
    points: [
      'adoption.locked',
      'adoption.read',
      'adoption.open',
      'worker.linked',
      'worker.serving',
      'adoption.found',
      'adoption.agreed',
      'adoption.done',
      ...STATE,
    ] as FaultPoint[],
    ready: nothing,
    async begin(scene) {
      sendIfAlive((await scene.status()).pid, 'SIGKILL')
      return null
    },
  },
  upgrade: {
    choice: ALONE,
    points: ['upgrade.dryRun', 'upgrade.started', 'upgrade.prepared', 'upgrade.released', 'upgrade.taken'],
    ready: nothing,
    // To the same version, which is enough to have another process in charge.
    begin: (scene) => posted(scene, '/v1/upgrade', { node: TEST_NODE, launcher: LAUNCHER }),
  },
  stop: {
    choice: BESIDE,
    points: ['stop.begun', ...DRAIN, 'stop.drained', ...STATE],
    async ready(scene) {
      if (await isStopped(scene)) await scene.post('/v1/apps/web/start')
    },
    begin: (scene) => posted(scene, '/v1/apps/web/stop'),
  },
  start: {
    choice: MAY_FAIL,
    points: [...BOOT, 'worker.serving', ...STATE],
    async ready(scene) {
      if (!(await isStopped(scene))) await scene.post('/v1/apps/web/stop')
    },
    begin: (scene) => posted(scene, '/v1/apps/web/start'),
  },
  end: {
    choice: ALONE,
    points: ['stop.begun', ...DRAIN, 'stop.drained', 'stop.ended', ...STATE],
    async ready(scene) {
      if (scene.home.processes().length === 0) await scene.begin()
    },
    begin: (scene) => posted(scene, '/v1/stop'),
    endsAll: true,
  },
} as const satisfies Readonly<Record<string, Operation>>

export type OperationName = keyof typeof OPERATIONS

export function operation(name: OperationName): Operation {
  return OPERATIONS[name]
}
