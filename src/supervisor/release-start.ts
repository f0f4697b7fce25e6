// What an app begins with when it had more than one release: the one that was last good, with the configuration of now.

import type { AppConfig } from '../config/app-config.ts'
import type { ReleaseRecord } from '../state/release-store.ts'
import { makeGeneration, type Generation } from './worker-spec.ts'

export interface FirstGeneration {
  readonly generation: Generation
  /** Said where it is not what was typed. */
  readonly words: string | null
}

export function firstGeneration(last: ReleaseRecord | null, config: AppConfig): FirstGeneration {
  if (last === null) return { generation: makeGeneration(1, 'blue', 'r1', config), words: null }
  const { id, version, own } = last
  // Everything is as the configuration says now, but where the code is and what it was deployed with.
  const { script, cwd } = last.config
  const generation = makeGeneration(1, 'blue', id, { ...config, script, cwd }, { isPinned: true, version, own })
  return { generation, words: id === 'r1' ? null : wordsOf(last, config) }
}

function wordsOf({ id, version, path }: ReleaseRecord, { script }: AppConfig): string {
  const release = version === null ? id : `${id} ${version}`
  return `starts ${release} from ${path}, the release that was last good, and not ${script}; \`supervise start --fresh\` forgets it`
}
