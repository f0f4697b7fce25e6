import { describe, expect, it } from 'vitest'
import { defineConfig } from '../../src/index.ts'

describe('defineConfig()', () => {
  it('returns what it is given', () => {
    const app = { script: 'app.js', ready: { http: '/readyz' }, maxSurge: '25%' } as const
    for (const config of [app, [app], { instance: 'shop', apps: [app] }, () => app, Promise.resolve(app)]) {
      expect(defineConfig(config)).toBe(config)
    }
  })

  it('does not compile with an unknown option or a wrong value', () => {
    // @ts-expect-error -- "wokers" is no option
    void defineConfig({ script: 'app.js', wokers: 3 })
    // @ts-expect-error -- a duration needs a unit
    void defineConfig({ script: 'app.js', readyTimeout: 30 })
    void defineConfig({ script: 'app.js', smoke: ['npm test', { http: '/' }], hooks: { 'pre-rollout': './ask.sh' } })
    // @ts-expect-error -- "prerollout" is no hook
    void defineConfig({ script: 'app.js', hooks: { prerollout: './ask.sh' } })
  })
})
