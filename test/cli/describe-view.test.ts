import { describe, expect, it } from 'vitest'
import { renderDescription } from '../../src/cli/describe-view.ts'
import type { AppDescription } from '../../src/control/messages.ts'
import { app } from './statuses.ts'

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

const lines = (tracing: AppDescription['tracing']) => renderDescription({ ...web, tracing }, (_, text) => text)

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

  it('says nothing of traces that nobody wants', () => expect(lines(null)).not.toContain('Tracing'))
})
