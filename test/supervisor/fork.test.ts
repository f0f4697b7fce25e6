import { describe, expect, it } from 'vitest'
import type { AppConfig } from '../../src/config/app-config.ts'
import { forkWorker } from '../../src/supervisor/fork.ts'

describe('forkWorker()', () => {
  it('throws when the directory is gone, rather than giving a worker without a process', () => {
    const config = { script: '/gone/app.js', args: [], cwd: '/gone', nodeArgs: [], env: {} }
    const settings = {
      app: 'web',
      group: 'blue',
      release: 'r1',
      worker: 1,
      incarnation: 'a',
      endpointDirectory: '/gone',
      heartbeatMs: 2000,
    }
    const request = {
      // What else there is to configure and to settle, a fork passes on unseen.
      config: config as unknown as AppConfig,
      settings: settings as never,
      version: null,
      linkPath: '/gone/link.sock',
      stdio: ['pipe', 'pipe'] as const,
    }
    expect(() => forkWorker(request)).toThrow('"/gone" does not exist any more')
  })
})
