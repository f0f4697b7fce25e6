// That a supervisor has taken the place of another one.

import type { Supervisor } from '../supervisor/supervisor.ts'
import type { Go, Offer } from './upgrade-messages.ts'

export function noteUpgrade(supervisor: Supervisor, before: Offer, { cause, begunAt }: Go): void {
  const { version: to } = supervisor
  const { version: from, pid } = before
  const ms = Math.max(0, Math.round(performance.timeOrigin + performance.now() - begunAt))
  const text = `version ${to} took over from version ${from} (pid ${pid}) within ${ms} ms; every worker serves on`
  supervisor.measures.supervisorUpgraded('upgraded')
  supervisor.eventLog.record({ type: 'supervisorUpgraded', app: null, text, cause, data: { from, to, ms } })
}
