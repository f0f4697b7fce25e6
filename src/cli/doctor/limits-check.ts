// How many files and processes there may be, and what the control group around allows.

import type { AppFacts, GroupFacts, InstanceFacts, ProcessLimits } from '../../control/checkup/facts.ts'
import { formatBytes } from '../sizes.ts'
import { note, orFine, problem, warning, type Finding, type HostFacts } from './finding.ts'

/** Node raises its soft limit to the hard one, so that the hard one is what there is. */
const FEW_FILES = 4_096
/** A worker: link, output, its runtime and its slots; the supervisor: link and output of each worker, and the slots. */
const FILES_OF_WORKER = 40
const FILES_OF_SUPERVISOR = 60
/** Node has so many threads, each of which counts as a process. */
const THREADS = 12
const MOST = 0.8

export function judgeLimits({ limits, groups, instances, self }: HostFacts): readonly Finding[] {
  const supervisors = instances.filter(({ supervisor }) => supervisor !== null)
  // What this shell would start has this shell's limits; what runs has its own.
  const findings = [
    ...(supervisors.length === 0 ? judgeProcess('this shell', limits, { workers: self.cpus, slots: 0 }, self.uid) : []),
    ...supervisors.flatMap((instance) => judgeInstance(instance, self.uid)),
    ...(supervisors.length === 0 ? judgeGroups('this shell', groups, 0) : []),
  ]
  return orFine(findings, 'limits', filesText(supervisors[0]?.supervisor?.limits ?? limits))
}

function filesText(limits: ProcessLimits | null): string {
  if (limits === null) return 'this system does not say them'
  return limits.filesHard === Infinity
    ? 'open files and processes are enough'
    : `${limits.filesHard} open files a process, and processes enough`
}

function judgeInstance({ name, supervisor, apps }: InstanceFacts, uid: number): readonly Finding[] {
  const workers = apps.reduce((sum, { wanted }) => sum + wanted, 0)
  const slots = apps.reduce((sum, app) => sum + app.slots, 0)
  return [
    ...judgeProcess(`instance ${name}`, supervisor?.limits ?? null, { workers, slots }, uid),
    ...apps.flatMap((app) => judgeUse(name, app)),
    ...(supervisor === null ? [] : judgeGroups(`instance ${name}`, supervisor.groups, workers)),
  ]
}

interface Need {
  readonly workers: number
  readonly slots: number
}

function judgeProcess(about: string, limits: ProcessLimits | null, need: Need, uid: number): readonly Finding[] {
  return limits === null ? [] : [...judgeFiles(about, limits, need), ...judgeProcesses(about, limits, need, uid)]
}

function judgeFiles(about: string, { filesHard }: ProcessLimits, { workers, slots }: Need): readonly Finding[] {
  const needed = FILES_OF_SUPERVISOR + slots + Math.max(workers * 8, FILES_OF_WORKER)
  const fix =
    'Raise the hard limit: `LimitNOFILE=65536` in a unit, `ulimits` of a container, or /etc/security/limits.conf for a login.'
  const says = `at most ${filesHard} open files (\`ulimit -Hn\`)`
  if (filesHard < needed)
    return [
      problem(about, `${says}, and about ${needed} are needed without a single client`, {
        why: 'Workers cannot be started, or cannot get their sockets.',
        fix,
      }),
    ]
  if (filesHard >= FEW_FILES) return []
  return [
    warning(about, says, {
      why: `Each connection is one: a worker stops accepting (EMFILE) at about ${filesHard - FILES_OF_WORKER} of them.`,
      fix,
    }),
  ]
}

/** Root is not held to it. */
function judgeProcesses(
  about: string,
  { processes }: ProcessLimits,
  { workers }: Need,
  uid: number,
): readonly Finding[] {
  // While all workers are replaced there are twice as many.
  const needed = (2 * workers + 1) * THREADS
  if (uid === 0 || processes >= needed) return []
  return [
    problem(about, `at most ${processes} processes of this user (\`ulimit -u\`), and a reload may need ${needed}`, {
      why: `Each Node process has about ${THREADS} threads, which count: starting a worker fails with EAGAIN.`,
      fix: 'Raise it: `TasksMax=` and `LimitNPROC=` in a unit, /etc/security/limits.conf for a login.',
    }),
  ]
}

/** Of workers that may be looked into. */
function judgeUse(instance: string, { name, workers }: AppFacts): readonly Finding[] {
  return workers.flatMap(({ id, openFiles, filesSoft }) =>
    openFiles === null || filesSoft === null || openFiles < filesSoft * MOST
      ? []
      : [
          problem(`instance ${instance}`, `worker ${id} of ${name} has ${openFiles} of ${filesSoft} files open`, {
            why: 'At the limit it accepts no connection and opens no file.',
            fix: `If that are not its clients, it leaks: \`supervise restart ${name} ${id}\` frees them for now. Else raise the limit.`,
          }),
        ],
  )
}

/** A container, a unit, or what a login is in. */
function judgeGroups(about: string, groups: GroupFacts, workers: number): readonly Finding[] {
  return [...judgeMemory(about, groups), ...judgeCpus(about, groups, workers), ...judgePids(about, groups, workers)]
}

function judgeMemory(about: string, { memoryBytes, memoryUsedBytes }: GroupFacts): readonly Finding[] {
  if (memoryBytes === null || memoryUsedBytes === null || memoryUsedBytes < memoryBytes * MOST) return []
  return [
    warning(
      about,
      `${formatBytes(memoryUsedBytes)} of ${formatBytes(memoryBytes)} memory of its control group are used`,
      {
        why: 'At the limit the kernel kills a process of the group, mostly a worker.',
        fix: 'Raise the limit (`MemoryMax=` in a unit), run fewer workers (`supervise scale`), or set `maxMemory` so that a worker that grows is replaced first.',
      },
    ),
  ]
}

function judgeCpus(about: string, { cpuCores }: GroupFacts, workers: number): readonly Finding[] {
  if (cpuCores === null || workers <= Math.ceil(cpuCores)) return []
  return [note(about, `${workers} workers share ${cpuCores} CPUs: more of them serve no more requests`)]
}

function judgePids(about: string, { pidsMax, pidsNow }: GroupFacts, workers: number): readonly Finding[] {
  if (pidsMax === null || pidsNow === null) return []
  // A reload starts a quarter more.
  const more = Math.ceil(Math.max(workers, 1) / 4) * THREADS
  if (pidsNow + more <= pidsMax) return []
  return [
    problem(about, `${pidsNow} of ${pidsMax} processes and threads of its control group are used (pids.max)`, {
      why: `A reload starts about ${more} more: starting a worker fails with EAGAIN.`,
      fix: 'Raise it: `TasksMax=` in a unit, `--pids-limit` of a container.',
    }),
  ]
}
