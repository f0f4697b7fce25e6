// As the first process of a container: what an engine, Docker or the kubelet, does to it, and what it finds there.

import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DockerfileParser } from 'dockerfile-ast'
import { describe, expect, it } from 'vitest'
import { Container, whyNoContainer } from '../support/container.ts'
import { freePort } from '../support/free-port.ts'
import { get } from '../support/get.ts'
import { makeHold } from '../support/hold.ts'
import { LAUNCHER, makeHome, TEST_NODE, type Home } from '../support/home.ts'
import { eventsOf, statusOf, untilEvent } from '../support/instance-facts.ts'
import { mixedLanes, mustHaveLostNothing, startLoad } from '../support/load.ts'
import { childrenOf, commandOf, sendIfAlive } from '../support/processes.ts'
import { fixture, ROOT } from '../support/releases.ts'
import { until } from '../support/until.ts'

const why = whyNoContainer()
if (why !== null) console.warn(`Containers are not tested here: ${why}`)

const online = (home: Home) =>
  until(
    async () => {
      const status = await statusOf(home).catch(() => null)
      return status?.apps.length === 1 && status.apps.every(({ state }) => state === 'online') && status
    },
    15_000,
    'the app is online',
  )

const ORPHANS = 'for n in 1 2 3; do (sleep 0.1 &); done'

describe.skipIf(why !== null)('as the first process', () => {
  it('waits for orphans, survives SIGKILL of the supervisor, reloads on SIGHUP; SIGTERM makes it unready, then it drains within its budget (S1, S2)', async () => {
    const home = makeHome()
    const [port, admin] = [await freePort(), await freePort()]
    const times = ['--min-ready', '0', '--drain-timeout', '60s', '--stop-delay', '1s', '--stop-budget', '4s']
    const words = [
      'start',
      fixture('hello.js'),
      '-i',
      '2',
      '--port',
      `${port}`,
      '--admin',
      `0.0.0.0:${admin}`,
      ...times,
    ]
    const container = new Container(home, [TEST_NODE, LAUNCHER, ...words])
    const first = await online(home)
    expect(first).toMatchObject({ keptBy: { who: 'firstProcess', pid: 1 }, zombies: null })

    container.exec('sh', '-c', ORPHANS)
    const orphans = () => childrenOf(container.init).filter((pid) => pid !== container.supervisor)
    await until(() => orphans().length === 0, 5_000, 'no orphan is left, and no zombie')

    const target = { host: '127.0.0.1', port }
    const load = startLoad({ target, lanes: mixedLanes({ webSockets: 0 }), durationMs: 60_000, ratePerSecond: 500 })
    await load.answers(200)
    sendIfAlive(container.supervisor, 'SIGKILL')
    await until(async () => (await online(home)).pid !== first.pid, 15_000, 'it is brought back')
    container.signal('SIGHUP')
    await untilEvent(home, 'reloaded')
    mustHaveLostNothing(await load.stop())
    expect((await eventsOf(home, 'supervisorBroughtBack'))[0]?.cause).toBe('first process')
    expect((await eventsOf(home, 'stopShortened'))[0]?.text).toContain('drain for 1.')

    const hold = makeHold(home)
    const hanging = get(target, hold.path, 30_000).catch((error: unknown) => error)
    await hold.asked()
    // As the kubelet asks: by the address of the pod.
    const ready = () => get({ host: '127.0.0.1', port: admin }, '/readyz')
    expect(await ready()).toMatchObject({ status: 200 })
    container.signal('SIGTERM')
    const unready = await until(async () => (await ready()).status === 503 && ready(), 5_000, 'it is unready')
    expect(unready.text).toContain('the supervisor is stopping')
    expect(await get(target)).toMatchObject({ status: 200 })
    expect(await container.ended()).toEqual({ code: 0, signal: null })
    expect(await hanging).toBeInstanceOf(Error)
    // Its drain was over in time to tell what it cut.
    expect(container.output).toMatch(/"type":"workerExited".*"requestsCut":1/)
    await home.mustBeEmpty()
  })

  it('is stopped in the moment after its supervisor was killed: the next one drains what serves, and ends (S3)', async () => {
    const home = makeHome()
    const port = await freePort()
    const words = ['start', fixture('hello.js'), '-i', '2', '--port', `${port}`, '--min-ready', '0']
    const container = new Container(home, [TEST_NODE, LAUNCHER, ...words])
    await online(home)
    const hold = makeHold(home)
    const answer = get({ host: '127.0.0.1', port }, hold.path, 30_000)
    await hold.asked()
    sendIfAlive(container.supervisor, 'SIGKILL')
    container.signal('SIGTERM')
    await container.says(/"type":"stopRequested"/)
    hold.release()
    expect(await answer).toMatchObject({ status: 200 })
    expect(await container.ended()).toEqual({ code: 0, signal: null })
    await home.mustBeEmpty()
  })

  it('where there is no shell: says so, counts zombies, and ends as it should', async () => {
    const home = makeHome()
    const prepare = 'mount --bind /dev/null "$(readlink -f /bin/sh)"'
    const words = ['start', fixture('hello.js'), '-i', '1', '--port', `${await freePort()}`, '--min-ready', '0']
    const container = new Container(home, [TEST_NODE, LAUNCHER, ...words], { prepare })
    expect(await online(home)).toMatchObject({ pid: 1, keptBy: { who: 'nobody' }, zombies: 0 })
    await container.says(/firstProcess.*there is no \/bin\/sh.*--init/)
    container.exec('bash', '-c', ORPHANS)
    await until(async () => (await statusOf(home)).zombies === 3, 5_000, 'three zombies')
    expect((await home.cli(['status'])).stdout).toContain('3 zombies')
    expect((await home.cli(['metrics'])).stdout).toContain('supervise_zombies 3')
    container.signal('SIGTERM')
    expect(await container.ended()).toEqual({ code: 0, signal: null })
  })
})

const words = (text: string | null | undefined): readonly string[] => JSON.parse(text ?? '[]') as string[]

/** What an engine would run: the environment and the words of the example's last stage. */
function imageOf(file: string) {
  const dockerfile = DockerfileParser.parse(readFileSync(file, 'utf8'))
  const env = dockerfile.getENVs().flatMap((line) => line.getProperties())
  return {
    env: Object.fromEntries(env.map((property) => [property.getName(), property.getValue() ?? ''])),
    words: [
      ...words(dockerfile.getENTRYPOINTs()[0]?.getArgumentsContent()),
      ...words(dockerfile.getCMDs()[0]?.getArgumentsContent()),
    ],
  }
}

describe.skipIf(why !== null)('examples/docker', () => {
  it('runs as nobody that has a name, without a home, on a read-only file system', async () => {
    const home = makeHome()
    const app = join(home.work, 'app')
    const example = join(ROOT, 'examples/docker')
    cpSync(example, app, { recursive: true })
    mkdirSync(join(app, 'node_modules/.bin'), { recursive: true })
    symlinkSync(LAUNCHER, join(app, 'node_modules/.bin/supervise'))
    for (const directory of [home.directory, home.work]) chmodSync(directory, 0o755)
    const image = imageOf(join(example, 'Dockerfile'))
    const port = await freePort()
    const path = `${dirname(TEST_NODE)}:/usr/bin:/bin`
    const env = { PATH: path, PORT: `${port}`, SUPERVISE_WORKERS: '1', SUPERVISE_MIN_READY: '0', ...image.env }
    // What `read_only` and `tmpfs: ['/run/app']` of compose.yaml are.
    const prepare =
      'mount -t tmpfs tmpfs /run; mkdir -m 1777 /run/app; mount -t tmpfs -o mode=1777 tmpfs /run/app; mount -o remount,ro /run; mount -o remount,ro,bind /'
    const container = new Container(home, image.words, { prepare, uid: 4242, env, cwd: app })
    await container.says(/"type":"started"/)
    expect(await get({ host: '127.0.0.1', port })).toMatchObject({
      status: 200,
      text: expect.stringContaining('hello'),
    })
    expect(commandOf(container.init)).toContain('sh -c')
    expect(container.exec('ls', '/run/app')).toBe('state\nsupervise\n')
    expect(container.output).not.toMatch(/"level":"(warn|error)"/)
    container.signal('SIGTERM')
    expect(await container.ended()).toEqual({ code: 0, signal: null })
  })
})
