import { describe, expect, it, onTestFinished } from 'vitest'
import { SignalDesk } from '../../src/control/signal-desk.ts'
import type { Supervisor } from '../../src/supervisor/supervisor.ts'

/** What is asked of a supervisor with one app that runs. */
function scene() {
  const asked: string[] = []
  const ask = (what: string) => async () => void asked.push(what)
  const operations = { reload: ask('reload'), scale: ask('scale'), shutdown: ask('shutdown') }
  const supervisor = { apps: [{ name: 'web', isStopped: false }], internalError: ask('error'), ...operations }
  const desk = new SignalDesk()
  onTestFinished(() => desk.close())
  return { asked, desk, supervisor: supervisor as unknown as Supervisor }
}

describe('SignalDesk', () => {
  it('keeps what comes before there is a supervisor (S15)', () => {
    const { asked, desk, supervisor } = scene()
    desk.receive('SIGTERM')
    expect(asked).toEqual([])
    desk.serve(supervisor)
    expect(asked).toEqual(['shutdown'])
  })

  it('reloads and scales nobody until the supervisor knows whom it takes over; a stop does not wait (S2, S15)', () => {
    const { asked, desk, supervisor } = scene()
    desk.receive('SIGHUP')
    desk.serve(supervisor)
    desk.receive('SIGTTIN')
    desk.receive('SIGTERM')
    expect(asked).toEqual(['shutdown'])
    desk.begun()
    expect(asked).toEqual(['shutdown', 'reload', 'scale'])
  })

  it('holds all while nobody can say who is in charge, and goes on when it is this one again', () => {
    const { asked, desk, supervisor } = scene()
    desk.serve(supervisor)
    desk.begun()
    desk.hold()
    desk.receive('SIGHUP')
    desk.receive('SIGTERM')
    expect(asked).toEqual([])
    desk.serve(supervisor)
    expect(asked).toEqual(['reload', 'shutdown'])
  })
})
