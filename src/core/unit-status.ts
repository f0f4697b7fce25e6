// What `systemctl status` shows of an instance, in one line.

export interface UnitApp {
  readonly name: string
  readonly state: string
  readonly isStopped: boolean
  readonly serving: number
  readonly wanted: number
  /** Of the release that serves, such as "r3"; null when there is none. */
  readonly release: string | null
  /** What is done to it now, such as "reload"; null when nothing is. */
  readonly operation: string | null
}

/** systemd cuts longer ones. */
const LONGEST = 400

export function unitStatus(apps: readonly UnitApp[], isEnding: boolean): string {
  if (apps.length === 0) return isEnding ? 'ends' : 'no app'
  const text = apps.map(appInWords).join('; ')
  return (isEnding ? `ends: ${text}` : text).slice(0, LONGEST)
}

function appInWords({ name, state, isStopped, serving, wanted, release, operation }: UnitApp): string {
  if (isStopped) return `${name}: ${state}`
  const what = state === 'failed' ? 'failed, ' : ''
  const under = operation === null ? '' : `, ${operation}`
  return `${name}: ${what}${serving} of ${wanted} workers serve${release === null ? '' : ` ${release}`}${under}`
}
