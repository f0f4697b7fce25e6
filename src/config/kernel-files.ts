// What the kernel says in files, and which control groups are around this process: of the present kind (v2, one tree) or of
// the older one (v1, a tree a controller). `root` stands before /proc and /sys.

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

export interface ControlGroups {
  readonly version: 1 | 2
  /** Innermost first, up to the outermost that can be seen. */
  readonly directories: readonly string[]
}

const MOUNT = 'sys/fs/cgroup'

/** Empty when there is no such file: another system, or another kind of control groups. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Not a number when there is no such file, or when it has a word such as `max`. */
export function numberIn(file: string): number {
  return Number.parseInt(textOf(file), 10)
}

/** Its path below /sys/fs/cgroup; undefined where control groups are of the older kind alone. */
export function ownGroup(root = '/', pid: number | 'self' = 'self'): string | undefined {
  return /^0::(\/.*)$/m.exec(textOf(join(root, 'proc', String(pid), 'cgroup')))?.[1]
}

/** The groups that limit this process, or another, by that controller. Each limits all that is in it. */
export function groupsAround(
  controller: 'cpu' | 'memory' | 'pids',
  root = '/',
  pid: number | 'self' = 'self',
): ControlGroups {
  // Where both kinds are there, a controller belongs to one of them, and a line of the older kind names it.
  const older = textOf(join(root, 'proc', String(pid), 'cgroup'))
    .split('\n')
    .map((line) => /^\d+:([^:]+):(\/.*)$/.exec(line))
    .find((line) => line?.[1]?.split(',').includes(controller))
  if (older == null) return { version: 2, directories: upFrom(join(root, MOUNT), ownGroup(root, pid)) }
  const [, controllers = '', path] = older
  const mounts = [controllers, controller].map((name) => join(root, MOUNT, name))
  return { version: 1, directories: upFrom(mounts.find(existsSync) ?? join(root, MOUNT), path) }
}

function upFrom(mount: string, path: string | undefined): readonly string[] {
  if (path === undefined) return []
  // In a container the path may be the host's, while what is mounted begins at the container's own group.
  if (!existsSync(join(mount, path))) return [mount]
  const directories: string[] = []
  for (let group = path; ; group = dirname(group)) {
    directories.push(join(mount, group))
    if (group === '/') return directories
  }
}
