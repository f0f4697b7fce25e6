// Where this user's supervisors keep what outlives them.

import { userInfo } from 'node:os'
import { isAbsolute, join } from 'node:path'

type Environment = Readonly<Record<string, string | undefined>>

/** For a user without a home: only root can write there, so that nobody else can leave something to be read. */
const WITHOUT_HOME = '/var/lib/supervise'

/** What systemd gives the unit, if it gives something. */
export function stateRoot(env: Environment): string {
  const fromSystemd = env['STATE_DIRECTORY']?.split(':').find(isAbsolute)
  return fromSystemd ?? ownStateRoot(env)
}

/** The user's own, whatever unit this is. */
export function ownStateRoot(env: Environment): string {
  // A relative XDG_STATE_HOME is to be ignored, says its specification.
  const xdg = env['XDG_STATE_HOME']
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'supervise')
  const home = homeOf(env)
  return home === null ? WITHOUT_HOME : join(home, '.local', 'state', 'supervise')
}

/** A relative HOME would be another place for each directory that a command is typed in. */
function homeOf(env: Environment): string | null {
  const home = env['HOME']
  if (home !== undefined && isAbsolute(home)) return home
  try {
    const { homedir } = userInfo()
    return isAbsolute(homedir) ? homedir : null
  } catch {
    // A uid without a name, as containers have them.
    return null
  }
}
