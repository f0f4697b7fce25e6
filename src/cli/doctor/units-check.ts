// The units that `supervise systemd` has written: whether they do what they are for, as they are in force.

import type { AppFacts, InstanceFacts } from '../../control/checkup/facts.ts'
import { differencesOf, settingsIn, wordsOf } from '../../systemd/read-units.ts'
import { OPENS_FILES, serviceUnit, socketUnit } from '../../systemd/unit-files.ts'
import { parseDuration } from '../../config/quantities.ts'
import { countOf } from '../progress.ts'
import { quoteForShell } from '../quote-for-shell.ts'
import { fine, note, problem, warning, type Finding, type HostFacts } from './finding.ts'
import type { SystemdFacts, UnitFacts } from './unit-facts.ts'

const SHOWN_DIFFERENCES = 3

export function judgeUnits({ systemd, instances }: HostFacts): readonly Finding[] {
  const { version, units } = systemd
  if (version === null) return units.length === 0 ? [] : [noManager(units)]
  if (units.length === 0) return [fine('systemd', `version ${version}; no unit of supervise is installed`)]
  return [
    ...judgeHelper(systemd),
    ...units.flatMap((unit) =>
      judgeUnit(
        unit,
        version,
        instances.find((instance) => isOfUnit(instance, unit)),
      ),
    ),
  ]
}

/** A user's unit and the system's may have one name; each has its instance's directory elsewhere. */
export function isOfUnit({ name, path }: InstanceFacts, unit: UnitFacts): boolean {
  return name === unit.name && path.startsWith('/run/supervise/') === (unit.scope === 'system')
}

function noManager(units: readonly UnitFacts[]): Finding {
  return warning('systemd', `${countOf(units.length, 'unit')} of supervise, and no systemctl`, {
    why: 'Nobody starts them.',
    fix: 'Is this a container? Let `supervise start` be its first process.',
  })
}

function judgeHelper({ version, hasHelper, units }: SystemdFacts): readonly Finding[] {
  const needed = units.some(({ service }) => !service.includes('\nOpenFile='))
  if (hasHelper || !needed) return []
  return [
    problem('systemd', `version ${version}, and there is no systemd-notify`, {
      why: 'Node cannot tell systemd by itself that the app serves: the start of a unit takes too long, and fails.',
      fix: `Install it (it comes with systemd), or systemd ${OPENS_FILES} or later and the unit again.`,
    }),
  ]
}

function judgeUnit(unit: UnitFacts, version: number, instance: InstanceFacts | undefined): readonly Finding[] {
  const about = `unit ${unit.name}.service`
  const findings = [
    ...judgeNode(about, unit),
    ...judgeText(about, unit, version),
    ...judgeForce(about, unit),
    ...judgeState(about, unit),
    ...judgeTimes(about, unit, instance?.apps ?? []),
    ...judgeSocket(unit),
  ]
  const state = unit.properties?.['ActiveState'] ?? 'not asked'
  return findings.length > 0 ? findings : [fine(about, `${state}, as this version writes it`)]
}

/** The command that would write it again. */
function installAgain({ name, scope, service }: UnitFacts): string {
  const words = withoutValues(startWordsOf(service)).map((word) => ` ${quoteForShell(word)}`)
  const place = (/^WorkingDirectory=(.*)$/m.exec(service)?.[1] ?? '/').replaceAll('%%', '%')
  const flag = scope === 'user' ? ' --user' : ''
  return `\`supervise systemd install${flag} --instance ${name}${words.join('')}\` in ${place}, with the flags that it was made with.`
}

/** What follows `start --instance NAME`. */
function startWordsOf(service: string): readonly string[] {
  return wordsOf(/^ExecStart=(.*)$/m.exec(service)?.[1] ?? '').slice(5)
}

/** Variables may be secrets: what is printed here is pasted elsewhere. */
function withoutValues(words: readonly string[]): readonly string[] {
  return words.map((word, at) => {
    if (words[at - 1] === '--env') return word.replace(/=.*$/s, '=…')
    return word.startsWith('--env=') ? word.replace(/^(--env=[^=]*=).*$/s, '$1…') : word
  })
}

/** The stop of the whole instance begins with it. */
function stopDelayOf(service: string): number {
  const words = startWordsOf(service)
  const after = words[words.indexOf('--stop-delay') + 1]
  const text = words.includes('--stop-delay')
    ? after
    : words.find((word) => word.startsWith('--stop-delay='))?.slice(13)
  return parseDuration(text ?? '') ?? 0
}

function judgeNode(about: string, unit: UnitFacts): readonly Finding[] {
  const { node } = unit
  if (node === null) return []
  const fix = installAgain(unit)
  if (!node.runs)
    return [
      problem(about, `the Node that it starts, ${node.path}, cannot be run: it is gone, or not executable`, {
        why: 'The next start or restart of the supervisor fails, and nobody brings it back.',
        fix,
      }),
    ]
  if (node.leadsTo === null) return []
  return [
    warning(about, `the Node that it starts, ${node.path}, is a link to ${node.leadsTo}`, {
      why: 'Whoever changes the link changes the Node of the next restart unseen.',
      fix,
    }),
  ]
}

/** What this version would write for the same words. */
function judgeText(about: string, unit: UnitFacts, systemdVersion: number): readonly Finding[] {
  const { name, scope, service, socket } = unit
  const settings = settingsIn(service, socket, { name, scope, systemdVersion })
  const differences =
    settings === null
      ? ['its ExecStart is not one of ours']
      : [
          ...differencesOf(service, serviceUnit(settings)),
          ...(socket === null ? [] : differencesOf(socket, socketUnit(settings) ?? '')),
        ]
  if (differences.length === 0) return []
  const more = differences.length > SHOWN_DIFFERENCES ? `; ${differences.length - SHOWN_DIFFERENCES} more` : ''
  const shown = differences.slice(0, SHOWN_DIFFERENCES).join('; ')
  return [
    warning(about, `it is not what this version writes: ${shown}${more}`, {
      why: 'It was written by another version, or changed by hand: what was mended since is not in it.',
      fix: `${installAgain(unit)} Changes of your own belong in \`systemctl edit ${name}\`.`,
    }),
  ]
}

/** With what is in force, whoever has set it. */
function judgeForce(about: string, { name, properties, service }: UnitFacts): readonly Finding[] {
  if (properties === null) return []
  const edit = `Take it out of \`systemctl edit ${name}\`, or install the unit again.`
  const { KillMode, NotifyAccess, WatchdogUSec, Restart, Type } = properties
  const findings: Finding[] = []
  if (KillMode !== undefined && KillMode !== 'process')
    findings.push(
      problem(about, `KillMode=${KillMode}`, {
        why: 'systemd kills all workers when the supervisor dies or is restarted, instead of leaving them to the next one.',
        fix: edit,
      }),
    )
  if (NotifyAccess !== undefined && NotifyAccess !== 'all' && !service.includes('\nOpenFile='))
    findings.push(
      problem(about, `NotifyAccess=${NotifyAccess}`, {
        why: 'systemd-notify is another process: what it says is not heard, and the start takes too long.',
        fix: edit,
      }),
    )
  if (Type !== undefined && !Type.startsWith('notify'))
    findings.push(warning(about, `Type=${Type}`, { why: 'It counts as started before the app serves.', fix: edit }))
  if (Restart !== undefined && Restart !== 'always')
    findings.push(
      warning(about, `Restart=${Restart}`, {
        why: 'Not every death of the supervisor is followed by a start.',
        fix: edit,
      }),
    )
  for (const taken of ['PrivateTmp', 'RemoveIPC'].filter((directive) => properties[directive] === 'yes'))
    findings.push(
      problem(about, `${taken}=yes`, {
        why: 'Whenever the supervisor dies systemd deletes files in /tmp or shared memory of workers that serve on.',
        fix: edit,
      }),
    )
  if (WatchdogUSec === '0' || WatchdogUSec === 'infinity')
    findings.push(
      note(about, 'WatchdogSec is off', { why: 'A supervisor whose loop hangs is not replaced.', fix: edit }),
    )
  return findings
}

function judgeState(about: string, { name, scope, properties }: UnitFacts): readonly Finding[] {
  const manager = scope === 'user' ? 'systemctl --user' : 'systemctl'
  if (properties === null) return [note(about, `no manager answers \`${manager}\``)]
  const { ActiveState, Result, UnitFileState, NeedDaemonReload } = properties
  const findings: Finding[] = []
  if (NeedDaemonReload === 'yes')
    findings.push(
      warning(about, 'its file was changed since systemd has read it', {
        why: 'The old text is in force.',
        fix: `\`${manager} daemon-reload\`, then \`${manager} restart ${name}\`.`,
      }),
    )
  if (ActiveState === 'failed')
    findings.push(
      problem(about, `it failed (${Result})`, {
        why: 'It does not run, and systemd does not start it again.',
        fix: `\`journalctl -u ${name}\` says why; then \`${manager} reset-failed ${name}\` and \`${manager} start ${name}\`.`,
      }),
    )
  if (ActiveState === 'inactive')
    findings.push(note(about, 'it does not run', { fix: `\`${manager} start ${name}\`.` }))
  if (UnitFileState === 'disabled')
    findings.push(
      warning(about, 'it is not enabled', {
        why: 'After a reboot it does not run.',
        fix: `\`${manager} enable ${name}\`.`,
      }),
    )
  return findings
}

function judgeTimes(about: string, { properties, service }: UnitFacts, apps: readonly AppFacts[]): readonly Finding[] {
  const given = milliseconds(properties?.['TimeoutStopUSec'] ?? '')
  const needed = apps.length === 0 ? 0 : Math.max(...apps.map(({ stopMs }) => stopMs)) + stopDelayOf(service)
  if (given === null || given >= needed) return []
  return [
    warning(
      about,
      `TimeoutStopSec is ${given / 1000} s, and a stop may take ${needed / 1000} s (stop delay, drainTimeout and killTimeout)`,
      {
        why: 'The supervisor asks for more while it drains; a moment in which systemd does not hear it cuts requests.',
        fix: 'Install the unit again: it takes the time from the config.',
      },
    ),
  ]
}

function judgeSocket({ name, socket, socketProperties }: UnitFacts): readonly Finding[] {
  if (socket === null) return []
  const about = `unit ${name}.socket`
  const findings: Finding[] = []
  const ports = socket.split('\n').filter((line) => /^ListenStream=[^/]/.test(line))
  if (ports.length > 1 && !/^ReusePort=(?:yes|true|1|on)$/m.test(socket))
    findings.push(
      problem(about, 'it has several lines for a port, and no ReusePort=yes', {
        why: 'The second line cannot be bound, so that the unit fails.',
        fix: 'Install the unit again.',
      }),
    )
  if (socketProperties?.['ActiveState'] === 'failed')
    findings.push(
      problem(about, 'it failed', {
        why: 'Its port is not open, and the service does not start without it.',
        fix: `\`systemctl status ${name}.socket\` says why: as a rule another program has the port.`,
      }),
    )
  if (socketProperties?.['UnitFileState'] === 'disabled')
    findings.push(
      warning(about, 'it is not enabled', {
        why: 'After a reboot its port opens only with the service.',
        fix: `\`systemctl enable ${name}.socket\`.`,
      }),
    )
  return findings
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `1min 30s`, as systemd writes a time; null when it is no time. */
export function milliseconds(text: string): number | null {
  if (text === 'infinity') return Infinity
  const parts = text.split(' ').map((part) => /^([\d.]+)([a-z]+)$/.exec(part))
  if (parts.some((part) => part === null || !((part[2] ?? '') in UNITS))) return null
  return parts.reduce((sum, part) => sum + Number(part?.[1]) * (UNITS[part?.[2] ?? ''] ?? 0), 0)
}
