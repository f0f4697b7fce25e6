// What an app begins with when it had more than one release: the one that was last good, with the configuration of now.

import { realpathSync } from 'node:fs'
import type { AppConfig } from '../config/app-config.ts'
import type { GroupName } from '../protocol/messages.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import { makeGeneration, type Generation } from './worker-spec.ts'

export interface FirstGeneration {
  readonly generation: Generation
  /** Said where it is not what was typed. */
  readonly words: string | null
}

/** `group` is where workers of that release may still be. */
export function firstGeneration(last: ReleaseRecord | null, config: AppConfig, group: GroupName): FirstGeneration {
  if (last === null) return { generation: makeGeneration(1, 'blue', 'r1', config), words: null }
  const { id, version, own } = last
  // Everything is as the configuration says now, but where the code is and what it was deployed with.
  const { script, cwd } = last.config
  const named = { isPinned: true, version, own }
  const generation = makeGeneration(1, group, id, { ...config, script, cwd }, named)
  return { generation, words: generation.config.script === realOf(config.script) ? null : wordsOf(last, config) }
}

/** Null for what is not there: then it is not what starts. */
function realOf(path: string): string | null {
  try {
    return realpathSync(path)
  } catch {
    return null
  }
}

function wordsOf({ id, version, path }: ReleaseRecord, { script }: AppConfig): string {
  const release = version === null ? id : `${id} ${version}`
  return `starts ${release} from ${path}, the release that was last good, and not ${script}; \`supervise start --fresh\` forgets it`
}
