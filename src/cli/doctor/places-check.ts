// The directories that supervisors write to.

import type { PlaceFacts, SelfFacts } from '../../control/checkup/facts.ts'
import { formatBytes } from '../sizes.ts'
import { fine, note, problem, warning, type Finding, type HostFacts } from './finding.ts'

const MEGABYTE = 1024 ** 2
const HARDLY_ANY = 5 * MEGABYTE
const LITTLE = 100 * MEGABYTE
const HARDLY_ANY_INODES = 100

const NAMES = { runtime: 'runtime directory', state: 'state directory', temporary: 'temporary directory' } as const
const VARIABLES = { runtime: 'SUPERVISE_RUNTIME_DIR', state: 'XDG_STATE_HOME', temporary: 'TMPDIR' } as const
const LOSSES = {
  runtime: 'Sockets and the state of what runs are there: nothing can be started.',
  state: 'Releases, events, crashes and logs are there: they are lost, and a deploy cannot be remembered.',
  temporary: 'Apps and Node itself write there.',
} as const

export function judgePlaces({ places, self, instances }: HostFacts): readonly Finding[] {
  const runs = instances.some(({ state }) => state === 'alive')
  return [...judgeHome(self), ...places.flatMap((place) => judgePlace(place, runs))]
}

function judgeHome({ home, uid }: SelfFacts): readonly Finding[] {
  if (home?.startsWith('/') === true) return []
  return [
    note('environment', home === null ? 'HOME is not set' : `HOME is "${home}", which is no absolute path`, {
      why: `The home of uid ${uid} in the user database is taken, or /var/lib/supervise.`,
      fix: 'Set XDG_STATE_HOME to have the state elsewhere.',
    }),
  ]
}

function judgePlace(place: PlaceFacts, runs: boolean): readonly Finding[] {
  const about = NAMES[place.what]
  const wrong = judgeRoom(place) ?? judgeStay(place, runs)
  return wrong === null ? [fine(about, `${place.path}: ${formatBytes(place.freeBytes)} free`)] : [wrong]
}

function judgeRoom(place: PlaceFacts): Finding | null {
  const { what, path, freeBytes, totalBytes, freeInodes, totalInodes, isWritable } = place
  const about = NAMES[what]
  const why = LOSSES[what]
  const elsewhere = `set ${VARIABLES[what]} to another directory.`
  if (!isWritable)
    return problem(about, `${path}: this user may not write there`, { why, fix: `Change its owner, or ${elsewhere}` })
  const room = { why, fix: `Make room (\`df -h ${path}\`), or ${elsewhere}` }
  if (freeBytes < HARDLY_ANY) return problem(about, `${path}: ${formatBytes(freeBytes)} are free`, room)
  if (totalInodes > 0 && freeInodes < HARDLY_ANY_INODES)
    return problem(about, `${path}: room for ${freeInodes} more files (inodes)`, {
      ...room,
      fix: `Remove small files (\`df -i ${path}\`), or ${elsewhere}`,
    })
  // A small tmpfs is made so on purpose, such as that of a user's session.
  if (freeBytes < Math.min(LITTLE, totalBytes / 2))
    return warning(about, `${path}: ${formatBytes(freeBytes)} of ${formatBytes(totalBytes)} are free`, room)
  return null
}

function judgeStay({ what, path, endsWithSession, isTidied }: PlaceFacts, runs: boolean): Finding | null {
  if (what !== 'runtime') return null
  if (endsWithSession)
    return warning(NAMES[what], `${path} is removed when this user's last session ends`, {
      why: 'Sockets and state of what runs then go with it, and systemd may end the processes as well.',
      fix: '`loginctl enable-linger`, or run it as a system unit: `supervise systemd install`.',
    })
  if (!isTidied) return null
  const says = `${path} lies where old files are tidied away`
  const why = 'systemd-tmpfiles and the like may remove what a next supervisor needs to find its workers.'
  const fix = 'Set SUPERVISE_RUNTIME_DIR to a directory below /run, or run it as a unit: `supervise systemd install`.'
  return runs ? warning(NAMES[what], says, { why, fix }) : note(NAMES[what], says, { why, fix })
}
