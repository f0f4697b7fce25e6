// Whether this installation could take an instance over, as it is now. Reads and touches nothing.

import { readConfig } from '../config/read-config.ts'
import { messageOf } from '../config/failure.ts'
import { linkVersions, whyNoLink } from '../supervisor/link-desk.ts'
import { readState, type SavedApp } from '../state/instance-state.ts'
import { readReleases, releasesFile } from '../state/release-store.ts'
import { instanceDirectory } from './instance-directory.ts'
import { packageVersion } from './package-version.ts'
import { HAND_OVER, type UpgradeCheck } from './upgrade-messages.ts'

export async function checkTakeOver(instance: string): Promise<UpgradeCheck> {
  const { stateFile } = instanceDirectory(instance)
  const state = readState(stateFile, instance)
  const releases = readReleases(releasesFile(instance))
  const apps = state.kind === 'state' ? state.state.apps : []
  const configs = await Promise.all(apps.filter(({ stopped }) => !stopped).map(problemOf))
  const noLink = whyNoLink()
  return {
    version: packageVersion(),
    nodeVersion: process.version,
    handOver: HAND_OVER,
    protocol: linkVersions,
    problems: [
      ...(noLink === null ? [] : [noLink]),
      ...(state.kind === 'unusable' ? [`of ${stateFile}, ${state.problem}`] : []),
      ...(releases.kind === 'unusable' ? [`of ${releasesFile(instance)}, ${releases.problem}`] : []),
    ],
    configs: configs.filter((config) => config !== null),
  }
}

async function problemOf({
  name,
  source,
  generations,
  current,
}: SavedApp): Promise<UpgradeCheck['configs'][number] | null> {
  const running = generations.find(({ number }) => number === current)
  try {
    await readConfig(source, () => (running?.isPinned === true ? running.given : null))
    return null
  } catch (error) {
    return { app: name, problem: messageOf(error) }
  }
}
