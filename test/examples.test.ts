// The files of examples/ that another program reads: Docker and Kubernetes would take them, and they fit each other.
// What they start is run in test/e2e/containers.test.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { validate } from 'dockerfile-utils'
import { Deployment } from 'kubernetes-models/apps/v1'
import { Service } from 'kubernetes-models/v1'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { readAdmin } from '../src/cli/admin-flags.ts'
import { readStopTiming } from '../src/cli/stop-flags.ts'
import { PUBLIC_PATHS } from '../src/control/admin-guard.ts'
import { ROOT } from './support/releases.ts'

const read = (...path: readonly string[]) => readFileSync(join(ROOT, 'examples', ...path), 'utf8')

describe('examples/docker', () => {
  const dockerfile = read('docker/Dockerfile')

  it('is an image that a linter has nothing to say of, whose first process is told signals and is not root', () => {
    expect(validate(dockerfile)).toEqual([])
    // The linter is one: it knows what is wrong.
    expect(validate('FROM node\nCMDX ["node"]\n')).toHaveLength(1)
    const last = dockerfile.slice(dockerfile.lastIndexOf('FROM '))
    expect(last).toMatch(/^USER node$/m)
    expect(last).toMatch(/^ENTRYPOINT \["node_modules\/\.bin\/supervise"\]$/m)
    expect(last).toMatch(/^CMD \["start", "server\.js"\]$/m)
  })

  it('gives the supervisor the time that compose gives the container', () => {
    const { app } = (parse(read('docker/compose.yaml')) as { services: { app: Record<string, never> } }).services
    const { stop_grace_period: grace, environment, read_only: readOnly, tmpfs } = app as Record<string, unknown>
    expect(environment).toMatchObject({ SUPERVISE_STOP_BUDGET: grace })
    expect([readOnly, tmpfs]).toEqual([true, ['/run/app']])
  })
})

describe('examples/kubernetes', () => {
  // What the checks below need of them; that the rest is right, their schemas say.
  const deployment = parse(read('kubernetes/deployment.yaml')) as ConstructorParameters<typeof Deployment>[0]
  const service = parse(read('kubernetes/service.yaml')) as ConstructorParameters<typeof Service>[0]
  const pod = deployment?.spec?.template.spec
  const container = pod?.containers[0]
  const env = Object.fromEntries(container?.env?.map(({ name, value }) => [name, value]) ?? [])

  it('is what the schemas of Kubernetes allow', () => {
    expect(() => new Deployment(deployment).validate()).not.toThrow()
    expect(() => new Service(service).validate()).not.toThrow()
    expect(() => new Deployment({ ...deployment, spec: { replicas: 'two' } } as never).validate()).toThrow('spec')
  })

  it('gives the supervisor the time that the kubelet gives the pod, and some of it before the drain', () => {
    const { delayMs, budgetMs } = readStopTiming(env)
    expect(budgetMs).toBe((pod?.terminationGracePeriodSeconds ?? 0) * 1000)
    expect(delayMs).toBeGreaterThan(0)
  })

  it('asks the admin address, on every address, for what it answers without a token', () => {
    const admin = readAdmin(env, '/')
    expect(admin).toMatchObject({ address: { host: '0.0.0.0' }, token: null })
    const port = container?.ports?.find(({ containerPort }) => containerPort === admin?.address.port)?.name
    const probes = [container?.startupProbe, container?.readinessProbe, container?.livenessProbe]
    expect(probes.map((probe) => probe?.httpGet?.port)).toEqual([port, port, port])
    expect(probes.filter((probe) => !PUBLIC_PATHS.includes(probe?.httpGet?.path ?? ''))).toEqual([])
    expect(service?.spec?.ports?.[0]?.targetPort).toBe(container?.ports?.[0]?.name)
  })

  it('needs no root and no writable root file system, but for the directory that the image writes to', () => {
    expect(pod?.securityContext?.runAsNonRoot).toBe(true)
    expect(container?.securityContext?.readOnlyRootFilesystem).toBe(true)
    const [mount] = container?.volumeMounts ?? []
    expect(read('docker/Dockerfile')).toContain(`SUPERVISE_RUNTIME_DIR=${mount?.mountPath}/supervise`)
  })
})
