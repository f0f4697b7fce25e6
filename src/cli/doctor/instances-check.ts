// Each instance: whether its supervisor is there, whether it would be brought back, and who serves without one.

import type { InstanceFacts, SupervisorFacts } from '../../control/checkup/facts.ts'
import { systemctlCommand } from '../../systemd/systemctl.ts'
import { orphansText } from '../instances.ts'
import { countOf } from '../progress.ts'
import { isOfUnit } from './units-check.ts'
import { fine, note, problem, warning, type Finding, type HostFacts } from './finding.ts'

/** A clock is set by seconds when it is kept by NTP. */
const CLOCK_MS = 60_000

export function judgeInstances({ asked, instances, self, systemd }: HostFacts): readonly Finding[] {
  if (instances.length === 0 && asked !== null) return [judgeMissing(asked, systemd.units.length > 0)]
  if (instances.length === 0) return [fine('instances', 'none of this user runs, and none has left anything')]
  return instances.flatMap((instance) => [
    ...judgeState(instance, again(instance, systemd), self.now),
    ...judgeDirectory(instance, self.uid),
  ])
}

/** Whoever names one expects it to be there: a wrong name must not look like a healthy instance. */
function judgeMissing(name: string, hasUnit: boolean): Finding {
  const about = `instance ${name}`
  // Whether its unit should run is the unit's check.
  if (hasUnit) return note(about, 'no supervisor runs it, and none has left anything')
  return problem(about, 'no supervisor runs it, none has left anything, and it has no unit', {
    why: 'There is nothing of that name to look at.',
    fix: '`supervise status` lists those that run; those of another user, or with another SUPERVISE_RUNTIME_DIR, are found with the same here.',
  })
}

/** What to type for another supervisor. */
function again(instance: InstanceFacts, { units }: HostFacts['systemd']): string {
  const { name, appsLeft } = instance
  const unit = units.find((one) => isOfUnit(instance, one))
  if (unit !== undefined) return systemctlCommand(unit.scope, 'start', name)
  return `supervise start ${appsLeft[0] ?? '…'} --instance ${name}`
}

function judgeState(instance: InstanceFacts, command: string, now: number): readonly Finding[] {
  const about = `instance ${instance.name}`
  if (instance.state === 'silent')
    return [
      problem(about, 'its supervisor does not answer', {
        why: 'Its apps serve on, and nobody restarts, reloads or stops them.',
        fix: `Look at its process and its log; a supervisor that is ended (\`kill -9\`) and started again takes its workers over.`,
      }),
    ]
  if (instance.state === 'dead') return [judgeDead(instance, command)]
  const { supervisor, answerProblem } = instance
  const unclear =
    answerProblem === null
      ? []
      : [
          warning(about, answerProblem.says, {
            why: 'Not everything of it could be looked at.',
            fix: answerProblem.fix,
          }),
        ]
  if (supervisor === null) return unclear
  const wrong = [...unclear, ...judgeKeeper(about, supervisor), ...judgeClock(about, supervisor, now)]
  const pid = `supervisor ${supervisor.pid}`
  const kept = {
    keeper: `, keeper ${supervisor.keptBy.pid}`,
    systemd: ', under systemd',
    firstProcess: ', below a shell as first process',
    nobody: '',
  }[supervisor.keptBy.who]
  return wrong.length > 0 ? wrong : [fine(about, `${pid}${kept}, ${countOf(instance.apps.length, 'app')}`)]
}

function judgeDead({ name, orphans, appsLeft, stateProblem, path }: InstanceFacts, command: string): Finding {
  const about = `instance ${name}`
  if (orphans.count > 0)
    return problem(about, `its supervisor is dead, ${orphansText({ workers: orphans.count, pids: orphans.pids })}`, {
      why: 'They serve on, and none that dies is started again.',
      fix: `\`${command}\` starts it again, and it takes them over; or end them: \`supervise stop --orphans --instance ${name}\`.`,
    })
  const clear = `\`rm -r ${path}\` forgets it`
  if (appsLeft.length > 0)
    return problem(about, `its supervisor died, and nothing of ${appsLeft.join(', ')} runs`, {
      why: 'It was not stopped by anybody, and nobody has brought it back.',
      fix: `\`${command}\` starts it again; or ${clear}.`,
    })
  return warning(about, `${stateProblem ?? 'its directory was left behind'}, and nothing of it runs`, {
    why: 'A supervisor that was killed left it: dead sockets, which the next one replaces.',
    fix: `Start it again, or ${clear}.`,
  })
}

function judgeKeeper(about: string, { keptBy, isKeeperAlive, detached }: SupervisorFacts): readonly Finding[] {
  if (keptBy.who === 'keeper' && !isKeeperAlive)
    return [
      warning(
        about,
        keptBy.pid === null ? 'its keeper is being started again' : `its keeper (pid ${keptBy.pid}) is gone`,
        {
          why: 'Should the supervisor die now, nobody brings it back; its workers would serve on.',
          fix: 'It is started again within a second: look once more, and at `supervise events --type keeperEnded`.',
        },
      ),
    ]
  if (keptBy.who !== 'nobody') return []
  const why = 'Should the supervisor die, its workers serve on, and none that dies is started again.'
  const fix =
    'Run it in the background (`supervise start -d`, which has a keeper) or as a unit (`supervise systemd install`).'
  return [
    note(about, detached ? 'nobody brings its supervisor back' : 'its supervisor runs in a terminal', { why, fix }),
  ]
}

function judgeClock(about: string, { startedAt }: SupervisorFacts, now: number): readonly Finding[] {
  if (startedAt - now < CLOCK_MS) return []
  return [
    note(about, 'the clock of this host was set back since its supervisor started', {
      why: 'Times in events, logs and status are out of order. Deadlines and restarts go by another clock.',
    }),
  ]
}

function judgeDirectory(
  { name, path, mode, owner, socketPathBytes, socketPathLimit }: InstanceFacts,
  uid: number,
): readonly Finding[] {
  const about = `instance ${name}`
  const findings: Finding[] = []
  if ((mode & 0o077) !== 0)
    findings.push(
      problem(about, `others may use ${path} (mode ${mode.toString(8)})`, {
        why: 'Whoever reaches its sockets controls its apps; the next start refuses it.',
        fix: `If nobody has put anything into it: \`chmod 700 ${path}\`.`,
      }),
    )
  if (owner !== uid && uid !== 0)
    findings.push(
      problem(about, `${path} belongs to uid ${owner}, and this is uid ${uid}`, {
        why: 'What is found there may be of a stranger.',
        fix: 'Type the command as that user, or set SUPERVISE_RUNTIME_DIR.',
      }),
    )
  if (socketPathBytes > socketPathLimit)
    findings.push(
      problem(about, `paths of its sockets have ${socketPathBytes} bytes, and the system takes ${socketPathLimit}`, {
        why: 'Longer ones are cut, or refused: it cannot be started there.',
        fix: 'Set SUPERVISE_RUNTIME_DIR to a shorter path, or give the instance a shorter name.',
      }),
    )
  return findings
}
