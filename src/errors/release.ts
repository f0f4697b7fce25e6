// Errors that a user can meet: deploying, flipping, going back. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

export function releasePathMissing(app: string, path: string) {
  return new SuperviseError(
    'RELEASE_PATH_MISSING',
    `Cannot deploy "${app}" from "${path}": there is no such directory`,
    'Name the directory of the new release; a relative path begins where the command is typed.',
    EXIT.usage,
  )
}

export function releasePathNoDirectory(app: string, path: string) {
  return new SuperviseError(
    'RELEASE_PATH_NO_DIRECTORY',
    `Cannot deploy "${app}" from "${path}": it is no directory`,
    'Name the directory of the new release. The script in it is found at the same place as before.',
    EXIT.usage,
  )
}

export function releasePathUnreadable(app: string, path: string, user: number) {
  return new SuperviseError(
    'RELEASE_PATH_UNREADABLE',
    `Cannot deploy "${app}" from "${path}": uid ${user}, which the supervisor runs as, may not read it`,
    `Change its permissions: the supervisor needs to read and to enter it.`,
    EXIT.noPermission,
  )
}

/** `code` is the system's word for why: `ELOOP`. */
export function releasePathUnusable(app: string, path: string, code: string) {
  const why: Readonly<Record<string, string>> = {
    ELOOP: 'its symbolic links lead in a circle',
    ENAMETOOLONG: 'the path is longer than the system allows',
    EIO: 'the disk cannot read it',
    ESTALE: 'its network file system has lost it',
  }
  return new SuperviseError(
    'RELEASE_PATH_UNUSABLE',
    `Cannot deploy "${app}" from "${path}": ${why[code] ?? 'it cannot be looked at'} (${code})`,
    'Name the directory of the new release; a relative path begins where the command is typed.',
    EXIT.usage,
  )
}

/** `places` are relative to the release: `dist/server.js`. */
export function releaseWithoutScript(app: string, path: string, places: readonly string[]) {
  return new SuperviseError(
    'RELEASE_WITHOUT_SCRIPT',
    `Cannot deploy "${app}" from "${path}": it has no ${places.map((place) => `"${place}"`).join(' and no ')}, where the running release has its script`,
    `The old release serves on. Build the new one first; or, if its script has moved, change \`script\` in the config and deploy again.`,
    EXIT.rolloutFailed,
  )
}

/** Both releases would take connections from the same socket. */
export function commandWithoutGroups(app: string) {
  return new SuperviseError(
    'COMMAND_WITHOUT_GROUPS',
    `Cannot deploy "${app}" with strategy "blue-green": it is a command, and without an agent nothing keeps a release from the traffic`,
    `Nothing was started. Leave \`--strategy\` out: a command is deployed rolling, and \`supervise reload ${app}\` reads the code in its place again.`,
    EXIT.usage,
  )
}

export function commandWithoutNode(app: string) {
  return new SuperviseError(
    'COMMAND_WITHOUT_NODE',
    `Cannot deploy "${app}" with another Node: it is a command, which runs without one`,
    'Nothing was started. Leave `--node` out.',
    EXIT.usage,
  )
}

/** It did not get as far as the public traffic. */
export function deployRefused(app: string, release: string, why: string, lines: readonly string[]) {
  return new SuperviseError(
    'DEPLOY_REFUSED',
    `Cannot deploy ${release} of "${app}": ${why}`,
    'Correct the cause, then deploy again.',
    EXIT.rolloutFailed,
    { lines },
  )
}

/** Before it had a rollout; `release` is null as long as it waited for its turn. */
export function deployAborted(app: string, release: string | null) {
  return new SuperviseError(
    'DEPLOY_ABORTED',
    `Cannot deploy ${release === null ? '' : `${release} of `}"${app}": it was aborted before it began`,
    'Nothing of it was started. Deploy again when it may be.',
    EXIT.rolloutFailed,
  )
}

/** It had the public traffic, or was to get it, while somebody waited for the end of the watch. */
export function rolloutTakenBack(app: string, release: string, why: string) {
  return new SuperviseError(
    'ROLLOUT_TAKEN_BACK',
    `Cannot keep ${release} of "${app}": ${why}`,
    `See \`supervise history ${app}\` and \`supervise crashes ${app}\`. Correct the cause, then deploy again.`,
    EXIT.rolloutFailed,
  )
}

export function noStandby(app: string, active: string) {
  return new SuperviseError(
    'NO_STANDBY',
    `Cannot flip "${app}": no release is warm beside ${active}`,
    `Deploy one with \`supervise deploy ${app} <path>\`, or start an older one with \`supervise rollback ${app}\`.`,
  )
}

/** It was when that was asked for. */
export function noLongerWarm(app: string, release: string, active: string) {
  return new SuperviseError(
    'RELEASE_NOT_WARM',
    `Cannot flip "${app}" to ${release}: it is no longer warm beside ${active}`,
    `See \`supervise status\`. \`supervise rollback ${app} ${release}\` starts it again.`,
  )
}

export function nothingToPreview(app: string, active: string) {
  return new SuperviseError(
    'NO_PREVIEW',
    `Cannot preview "${app}": no release is up beside ${active}`,
    `Deploy one that waits with \`autoPromote: false\` and \`supervise deploy ${app} <path>\`.`,
  )
}

/** It has no worker that listens, or none that is up yet. */
export function previewNotReady(app: string, release: string) {
  return new SuperviseError(
    'PREVIEW_NOT_READY',
    `Cannot preview ${release} of "${app}": none of its workers is up and listens`,
    `See how far it is with \`supervise rollout ${app}\`.`,
  )
}

export function nothingToRollBackTo(app: string, active: string) {
  return new SuperviseError(
    'NO_PREVIOUS_RELEASE',
    `Cannot roll back "${app}": its history has no good release before ${active}`,
    `It never goes to a later one by itself. Any release of \`supervise history ${app}\` can be named: \`supervise rollback ${app} <release>\`.`,
  )
}

export function unknownRelease(app: string, name: string, known: readonly string[], suggestion: string | null) {
  return new SuperviseError(
    'RELEASE_UNKNOWN',
    `Cannot find release "${name}" of "${app}": ${known.length === 0 ? 'its history is empty' : `there is ${known.join(', ')}`}`,
    suggestion === null ? `See \`supervise history ${app}\`.` : `Did you mean "${suggestion}"?`,
    EXIT.unknownTarget,
  )
}

/** What a release in the history was started from was removed. */
export function releaseGone(app: string, release: string, path: string, serves: string) {
  return new SuperviseError(
    'RELEASE_GONE',
    `Cannot start ${release} of "${app}" again: "${path}" is no longer there`,
    `${serves} serves on. Bring it back, or deploy the same code from another place: \`supervise deploy ${app} <path>\`.`,
    EXIT.rolloutFailed,
  )
}

/** `problem` names the binary. */
export function releaseNodeUnusable(app: string, problem: string) {
  return new SuperviseError(
    'RELEASE_NODE_UNUSABLE',
    `Cannot deploy "${app}" with another Node: ${problem}`,
    'The old release serves on. Name a Node binary, such as `--node /usr/bin/node`, or leave it out for the one of the configuration.',
    EXIT.rolloutFailed,
  )
}

export function noRollout(app: string, wish: string) {
  return new SuperviseError(
    'NO_ROLLOUT',
    `Cannot ${wish} "${app}": no rollout is under way`,
    `See \`supervise history ${app}\` for those that were.`,
  )
}

export function promotedAlready(app: string, release: string, from: string) {
  return new SuperviseError(
    'ROLLOUT_PROMOTED',
    `Cannot abort the rollout of "${app}": ${release} is promoted already`,
    `Go back with \`supervise rollback ${app} ${from}\`.`,
  )
}

/** `why` is in words that follow "since". */
export function givenUpAlready(app: string, release: string, why: string) {
  return new SuperviseError(
    'ROLLOUT_GIVEN_UP',
    `Cannot promote ${release} of "${app}": it was given up, since ${why}`,
    `Deploy it again with \`supervise deploy ${app} <path>\`. See \`supervise history ${app}\`.`,
  )
}

export function alreadyActive(app: string, release: string) {
  return new SuperviseError(
    'RELEASE_ACTIVE',
    `Cannot roll "${app}" back to ${release}: it is what serves`,
    `See \`supervise history ${app}\` for the others.`,
  )
}

/** `why` names the hook. */
export function hookSaidNo(app: string, release: string, why: string, lines: readonly string[]) {
  return new SuperviseError(
    'HOOK_SAID_NO',
    `Cannot deploy ${release} of "${app}": ${why}`,
    'The old release serves on. Ask whoever answers the hook, then deploy again.',
    EXIT.rolloutFailed,
    { lines },
  )
}

/** `fix` says which step comes first. */
export function dataVersionsApart(app: string, release: string, why: string, fix: string) {
  return new SuperviseError(
    'DATA_VERSIONS_APART',
    `Cannot deploy ${release} of "${app}": ${why}`,
    `${fix} \`--force\` overrides this. The old release serves on.`,
    EXIT.rolloutFailed,
  )
}

export function releaseFileUnusable(app: string, file: string, problem: string) {
  return new SuperviseError(
    'RELEASE_FILE_UNUSABLE',
    `Cannot deploy "${app}": "${file}" cannot be used, since ${problem}`,
    'The old release serves on. Correct the file, then deploy again.',
    EXIT.rolloutFailed,
  )
}
