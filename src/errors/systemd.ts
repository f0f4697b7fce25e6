// Errors that a user can meet with units. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

/** `problem` says what is wrong with the value. */
export function badUnitFlag(flag: string, value: string, problem: string) {
  return new SuperviseError('WRONG_USAGE', `Cannot use ${flag} "${value}": ${problem}`, '', EXIT.usage)
}

export function unitNotWritable(file: string, problem: string) {
  return new SuperviseError(
    'UNIT_NOT_WRITABLE',
    `Cannot write ${file}: ${problem}`,
    'Run it as root, give --user for a unit of your own, or `supervise systemd print` and put the text there yourself.',
    EXIT.noPermission,
  )
}

/** Somebody wrote or changed it by hand. */
export function unitIsForeign(file: string) {
  return new SuperviseError(
    'UNIT_EXISTS',
    `Cannot write ${file}: it is there, and not made by \`supervise systemd\``,
    'Look at it; move it away, give the instance another name (-n or --instance), or overwrite it with --force.',
    EXIT.failed,
  )
}

/** `hidden` is another package's or somebody's own, in a directory that counts less. */
export function unitHidesAnother(file: string, hidden: string) {
  return new SuperviseError(
    'UNIT_EXISTS',
    `Cannot write ${file}: it would hide ${hidden}, which is not made by \`supervise systemd\``,
    'Give the instance another name (-n or --instance), or hide that unit with --force: it would be stopped, and this one started in its place.',
    EXIT.failed,
  )
}

/** What systemd reads as something else. */
export function badUnitDirectory(directory: string, problem: string) {
  return new SuperviseError(
    'WRONG_USAGE',
    `Cannot write a unit for the directory ${JSON.stringify(directory)}: ${problem}`,
    'Give the directory another name.',
    EXIT.usage,
  )
}

export function unitMissing(name: string, directory: string) {
  return new SuperviseError(
    'UNIT_MISSING',
    `Cannot uninstall "${name}": there is no unit ${name}.service in ${directory}`,
    'See what there is with `systemctl list-unit-files`; --user is for units of your own.',
    EXIT.unknownTarget,
  )
}

/** The unit's supervisor would find the instance's lock taken. */
export function instanceRunsByHand(name: string, pid: number | null) {
  return new SuperviseError(
    'INSTANCE_RUNS',
    `Cannot give "${name}" to systemd: its supervisor runs already${pid === null ? '' : ` (pid ${pid})`}`,
    `End it with \`supervise stop --all --instance ${name}\` and repeat the command, or give --no-start and do it later.`,
    EXIT.busy,
  )
}

export function systemctlFailed(words: readonly string[], problem: string) {
  return new SuperviseError(
    'SYSTEMCTL_FAILED',
    `Cannot finish: \`systemctl ${words.join(' ')}\` failed: ${problem}`,
    'The unit files are written; see `systemctl status` and `journalctl -xe`, then repeat the command.',
    EXIT.failed,
  )
}

export function noManager(ofUser: boolean, problem: string) {
  return new SuperviseError(
    'NO_SYSTEMD',
    `Cannot install a unit: no systemd ${ofUser ? 'of this user ' : ''}answers here${problem === '' ? '' : ` (${problem})`}`,
    'In a container let `supervise start` be its first process; elsewhere `supervise systemd print` writes the unit for another host.',
    EXIT.failed,
  )
}
