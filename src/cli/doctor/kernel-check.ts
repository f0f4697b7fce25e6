// Settings of the kernel that matter to us, and only those.

import type { KernelFacts } from '../../control/checkup/facts.ts'
import { fine, orFine, warning, type Finding, type HostFacts } from './finding.ts'

/** What Node asks for when it listens. */
const BACKLOG = 511
const FEW_WATCHES = 8_192
const FEW_INSTANCES = 16
const MOST_FILES = 0.8
const NEVER_OVERCOMMIT = 2

export function judgeKernel({ kernel, instances }: HostFacts): readonly Finding[] {
  const isWatching = instances.some(({ apps }) => apps.some((app) => app.isWatching))
  const findings = [
    ...judgeQueue(kernel),
    ...judgeFiles(kernel),
    ...(isWatching ? judgeWatches(kernel) : []),
    ...judgeMemory(kernel),
  ]
  const queue = kernel.somaxconn === null ? '' : `queues of ${kernel.somaxconn} connections, `
  return [
    ...orFine(findings, 'kernel', `${queue}room for open files, memory is given as asked for`),
    ...judgeMigration(kernel),
  ]
}

function judgeQueue({ somaxconn }: KernelFacts): readonly Finding[] {
  if (somaxconn === null || somaxconn >= BACKLOG) return []
  return [
    warning('kernel', `net.core.somaxconn is ${somaxconn}, and Node asks for a queue of ${BACKLOG}`, {
      why: `In a burst, or while workers start, connections beyond ${somaxconn} a socket are dropped and come again after a second.`,
      fix: '`sysctl -w net.core.somaxconn=4096`, and the same line in /etc/sysctl.d/.',
    }),
  ]
}

function judgeFiles({ filesOpen, filesMax }: KernelFacts): readonly Finding[] {
  if (filesOpen === null || filesMax === null || filesOpen < filesMax * MOST_FILES) return []
  return [
    warning('kernel', `${filesOpen} files are open on this host, of ${filesMax} (fs.file-max)`, {
      why: 'At the limit nobody on this host can open a file or accept a connection.',
      fix: 'Find who holds them with `lsof | wc -l`, or raise it: `sysctl -w fs.file-max=…`.',
    }),
  ]
}

function judgeWatches({ inotifyWatches, inotifyInstances }: KernelFacts): readonly Finding[] {
  const few = [
    ...(inotifyWatches !== null && inotifyWatches < FEW_WATCHES ? [`max_user_watches is ${inotifyWatches}`] : []),
    ...(inotifyInstances !== null && inotifyInstances < FEW_INSTANCES
      ? [`max_user_instances is ${inotifyInstances}`]
      : []),
  ]
  if (few.length === 0) return []
  return [
    warning('kernel', `fs.inotify.${few.join(' and fs.inotify.')}`, {
      why: 'An app is watched (`watch`): changes in directories beyond it are not seen.',
      fix: '`sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=512`.',
    }),
  ]
}

function judgeMemory({ overcommit }: KernelFacts): readonly Finding[] {
  if (overcommit !== NEVER_OVERCOMMIT) return []
  return [
    warning('kernel', 'vm.overcommit_memory is 2', {
      why: 'Node reserves far more addresses than it uses: starting a worker can fail with ENOMEM while memory is free.',
      fix: '`sysctl -w vm.overcommit_memory=0`, or a larger vm.overcommit_ratio.',
    }),
  ]
}

/** Told since many pages on SO_REUSEPORT say that it must be on. */
function judgeMigration({ tcpMigrateReq }: KernelFacts): readonly Finding[] {
  if (tcpMigrateReq === null) return []
  return [
    fine(
      'kernel',
      `net.ipv4.tcp_migrate_req is ${tcpMigrateReq}: either will do, since a socket stays open while its app lives`,
    ),
  ]
}
