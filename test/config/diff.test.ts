import { describe, expect, it } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import { describeOptions, diffConfig } from '../../src/config/diff.ts'
import { readConfig } from '../../src/config/read-config.ts'
import { project, source } from './project.ts'

async function config(flags: Readonly<Record<string, string | readonly string[]>> = {}): Promise<AppConfig> {
  return readConfig(
    source(project(), { flags: { script: process.execPath, cwd: '/', name: 'web', workers: '2', ...flags } }),
  )
}

describe('diffConfig()', () => {
  it('finds nothing between equal configurations', async () => {
    expect(diffConfig(await config(), await config())).toEqual([])
  })

  it('names options and shows values as users write them', async () => {
    const after = await config({
      workers: '4',
      'backoff.max': '1m30s',
      maxMemory: '300M',
      args: '--a "b c"',
      maxSurge: '50%',
    })
    expect(diffConfig(await config(), after)).toEqual([
      { option: 'args', kind: 'changed', from: '', to: '--a "b c"', applies: 'reload' },
      { option: 'workers', kind: 'changed', from: '2', to: '4', applies: 'live' },
      { option: 'backoff.max', kind: 'changed', from: '15s', to: '1m30s', applies: 'live' },
      { option: 'maxMemory', kind: 'added', from: null, to: '300M', applies: 'live' },
      { option: 'maxSurge', kind: 'changed', from: '100%', to: '50%', applies: 'live' },
    ])
  })

  it('tells of a probe that is gone', async () => {
    const changes = diffConfig(await config({ 'liveness.http': '/livez' }), await config())
    expect(changes.map(({ option, kind, from }) => [option, kind, from])).toEqual([
      ['liveness.http', 'removed', '/livez'],
      ['liveness.every', 'removed', '10s'],
      ['liveness.within', 'removed', '2s'],
      ['liveness.failures', 'removed', '3'],
    ])
  })

  it('tells that a secret has changed, and never the secret', async () => {
    const groupHeader = async (secret: string) => config({ groupHeader: secret })
    const changes = diffConfig(await groupHeader('one-secret'), await groupHeader('other-secret'))
    expect(changes).toEqual([{ option: 'groupHeader', kind: 'changed', from: null, to: null, applies: 'reload' }])
    expect(diffConfig(await config(), await groupHeader('one-secret'))[0]?.kind).toBe('added')
    expect(diffConfig(await groupHeader('one-secret'), await groupHeader('one-secret'))).toEqual([])
    expect(describeOptions(await groupHeader('one-secret'))['groupHeader']).toBe('(secret)')
  })

  it('shows hooks and smoke tests', async () => {
    const after = await config({
      smoke: ['npm test', 'true'],
      'hooks.event': 'https://example.com/',
      preview: '[::1]:3001',
      releaseHeader: 'false',
    })
    expect(diffConfig(await config(), after).map(({ option, to }) => [option, to])).toEqual([
      ['preview', '[::1]:3001'],
      ['releaseHeader', 'false'],
      ['smoke', 'npm test, true'],
      ['hooks.event', expect.stringMatching(/^https:\/\/example\.com\/… \(\w{4}\)$/)],
    ])
  })

  it.each(['hooks.event', 'notify'] as const)(
    'tells that the URL of %s changed, and never its path',
    async (option) => {
      const at = (url: string) => config({ [option]: url })
      const [before, after] = [await at('https://example.com/secret-1'), await at('https://example.com/secret-2')]
      const changes = diffConfig(before, after)
      expect(changes).toMatchObject([
        { option, kind: 'changed', from: expect.stringContaining('https://example.com/… (') },
      ])
      expect(diffConfig(before, await at('https://example.com/secret-1'))).toEqual([])
      expect(JSON.stringify([changes, describeOptions(after)])).not.toContain('secret')
    },
  )

  it('tells that a hook has another time, though its text stays the same', async () => {
    const before = await config({ 'hooks.event': 'https://example.com/' })
    const hooks = { ...before.hooks, event: { ...before.hooks.event!, withinMs: 1 } }
    expect(diffConfig(before, { ...before, hooks })).toEqual([
      { option: 'hooks.event', kind: 'changed', from: null, to: null, applies: 'live' },
    ])
  })

  it('R15 names variables that were added, removed and changed, never their values', async () => {
    const changes = diffConfig(await config({ env: ['A=1', 'B=secret'] }), await config({ env: ['B=other', 'C=3'] }))
    expect(changes).toEqual([
      { option: 'env.A', kind: 'removed', from: null, to: null, applies: 'reload' },
      { option: 'env.B', kind: 'changed', from: null, to: null, applies: 'reload' },
      { option: 'env.C', kind: 'added', from: null, to: null, applies: 'reload' },
    ])
    expect(JSON.stringify(changes)).not.toContain('secret')
  })
})

describe('describeOptions()', () => {
  it('shows every option that is in force, without variables', async () => {
    const shown = describeOptions(await config({ env: ['A=1'], ready: '/readyz' }))
    expect(shown).toMatchObject({ name: 'web', workers: '2', ready: '/readyz', drainTimeout: '30s', treeKill: 'true' })
    expect(Object.keys(shown).filter((key) => key.startsWith('env') || key.startsWith('watch'))).toEqual([])
  })
})
