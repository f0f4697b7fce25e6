import { describe, expect, it } from 'vitest'
import { renderDescription } from '../../src/cli/describe-view.ts'
import type { AppDescription, KeptBy } from '../../src/control/messages.ts'
import { app, instance } from './statuses.ts'

const config = { file: null, script: '/srv/app.js', hasAgent: true, args: [], cwd: '/srv', nodeArgs: [], node: null }
const web: AppDescription = {
  ...app(),
  config: { ...config, environmentNames: [], options: {} },
  crashes: [],
  events: [],
  objectives: [],
  resources: [],
  limits: { memoryBytes: null, memoryUsedBytes: null, cpuCores: null },
  tracing: null,
}

const lines = (tracing: AppDescription['tracing'], keptBy: KeptBy = { who: 'nobody', pid: null }) =>
  renderDescription({ ...web, tracing }, instance({ keptBy }), (_, text) => text)

describe('renderDescription()', () => {
  it.each([
    ['sent', null, '  spans are sent to the collector'],
    ['given', null, "  spans are given to the app's own OpenTelemetry"],
    ['left', null, "  the app's own OpenTelemetry traces its requests; none are added"],
    ['lost', 'nothing listens there', '  traces are lost: nothing listens there'],
  ] as const)('says how it is with spans that are %s', (spans, problem, words) => {
    const told = lines({ spans, problem })
    expect(told[told.indexOf('Tracing') + 1]).toBe(words)
  })

  it.each([
    [{ who: 'keeper', pid: 7 }, 'by its keeper (pid 7), should it die'],
    [{ who: 'systemd', pid: null }, 'by systemd, should it die'],
    [{ who: 'nobody', pid: null }, 'by nobody, should it die: its workers would serve on'],
  ] as const)('says who brings the supervisor back: %j', (keptBy, words) => {
    const told = lines(null, keptBy)
    expect(told.slice(told.indexOf('Supervisor') + 1)).toContainEqual(`  brought back  ${words}`)
  })

  it('shows where each argument of a program ends', () => {
    const command = { ...web.config, script: '/bin/sh', hasAgent: false, args: ['-c', 'exec sleep 5'] }
    const told = renderDescription({ ...web, config: command }, instance({}), (_, text) => text)
    expect(told.map((line) => line.trim().split(/ {2,}/))).toContainEqual(['arguments', '-c "exec sleep 5"'])
  })

  it('says nothing of traces that nobody wants', () => expect(lines(null)).not.toContain('Tracing'))
})
