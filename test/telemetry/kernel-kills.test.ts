import { describe, expect, it } from 'vitest'

import { countKernelKills, KernelKills } from '../../src/telemetry/kernel-kills.ts'

describe('KernelKills', () => {
  it('compares with a reading from before the death, and forgets what is long ago', () => {
    let count = 7
    const kills = new KernelKills(0, () => count)
    expect(kills.grewLately()).toBe(false)
    count += 1
    expect(kills.grewLately()).toBe(true)
    // Looked at after the kill, and before the exit is known.
    kills.look(5_000)
    kills.look(5_100)
    expect(kills.grewLately()).toBe(true)
    kills.look(10_000)
    expect(kills.grewLately()).toBe(false)
  })

  it('does not know where the kernel does not say', () => {
    expect(new KernelKills(0, () => null).grewLately()).toBeNull()
  })
})

describe('countKernelKills()', () => {
  it('is a number on Linux', () => {
    expect(countKernelKills()).toBeGreaterThanOrEqual(0)
  })
})
