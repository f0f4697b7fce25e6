// What the kernel says in files, and of which control group this process is.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Empty when there is no such file: another system, or an older kind of control groups. */
export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/** Its path below /sys/fs/cgroup; undefined where control groups are of an older kind. `root` stands before /proc. */
export function ownGroup(root = '/'): string | undefined {
  return /^0::(\/.*)$/m.exec(textOf(join(root, 'proc/self/cgroup')))?.[1]
}
