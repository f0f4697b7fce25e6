// The directories that supervisors write to.

import type { InstanceFacts, PlaceFacts, SelfFacts } from '../../control/checkup/facts.ts'
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
  return [...judgeHome(self), ...places.map((place) => judgePlace(place, instances))]
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

function judgePlace(place: PlaceFacts, instances: readonly InstanceFacts[]): Finding {
  const about = NAMES[place.what]
  const wrong = judgeRoom(place) ?? judgeStay(place, instances)
  return wrong ?? fine(about, `${place.path}: ${formatBytes(place.freeBytes)} free`)
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

/** Units have a runtime directory of their own, and what is so of another says nothing to them. */
function judgeStay(place: PlaceFacts, instances: readonly InstanceFacts[]): Finding | null {
  const { what, path, endsWithSession, isTidied } = place
  const isUsed = instances.some((instance) => instance.path.startsWith(`${path}/`))
  if (what !== 'runtime' || (!isUsed && instances.length > 0)) return null
  const tell = isUsed ? warning : note
  if (endsWithSession)
    return tell(NAMES[what], `${path} is removed when this user's last session ends`, {
      why: 'Sockets and state of what runs then go with it, and systemd may end the processes as well.',
      fix: '`loginctl enable-linger`, or run it as a system unit: `supervise systemd install`.',
    })
  if (!isTidied) return null
  return tell(NAMES[what], `${path} lies where old files are tidied away`, {
    why: 'systemd-tmpfiles and the like may remove what a next supervisor needs to find its workers.',
    fix: 'Set SUPERVISE_RUNTIME_DIR to a directory below /run, or run it as a unit: `supervise systemd install`.',
  })
}
