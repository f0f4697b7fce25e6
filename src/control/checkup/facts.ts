// What `supervise doctor` judges: how it is on this host, for this user, and with each instance. Facts alone; what is good
// or bad of them is decided in cli/doctor/.

import type { KeptBy } from '../instance-messages.ts'
import type { AppState } from '../messages.ts'

export interface Facts {
  readonly self: SelfFacts
  readonly kernel: KernelFacts
  /** Of what this shell would start. */
  readonly limits: ProcessLimits | null
  readonly groups: GroupFacts
  readonly places: readonly PlaceFacts[]
  readonly instances: readonly InstanceFacts[]
  /** Of workers and supervisors, with whose children they were. */
  readonly zombies: readonly { readonly pid: number; readonly parent: number }[]
}

export interface SelfFacts {
  readonly version: string
  readonly nodeVersion: string
  readonly platform: NodeJS.Platform
  /** What this Node lacks that the link needs; null when nothing is missing. */
  readonly linkMissing: string | null
  readonly uid: number
  readonly cpus: number
  /** Milliseconds by the wall clock. */
  readonly now: number
  readonly home: string | null
}

/** Null where the system does not say. */
export interface KernelFacts {
  readonly somaxconn: number | null
  readonly tcpMigrateReq: number | null
  readonly filesOpen: number | null
  readonly filesMax: number | null
  readonly inotifyWatches: number | null
  readonly inotifyInstances: number | null
  readonly overcommit: number | null
}

/** Infinity is no limit. */
export interface ProcessLimits {
  readonly filesSoft: number
  readonly filesHard: number
  readonly processes: number
}

/** What the control groups around a process allow to all that is in them; null is no limit. */
export interface GroupFacts {
  readonly cpuCores: number | null
  readonly memoryBytes: number | null
  readonly memoryUsedBytes: number | null
  readonly pidsMax: number | null
  readonly pidsNow: number | null
}

/** A directory that supervisors of this user write to, or the one in which it will be made. */
export interface PlaceFacts {
  readonly what: 'runtime' | 'state' | 'temporary'
  readonly path: string
  readonly exists: boolean
  readonly isWritable: boolean
  readonly totalBytes: number
  readonly freeBytes: number
  /** 0 where the file system has no fixed number of them. */
  readonly totalInodes: number
  readonly freeInodes: number
  /** It ends with the user's last session. */
  readonly endsWithSession: boolean
  /** In a directory that is tidied up by age, such as /tmp. */
  readonly isTidied: boolean
}

export interface InstanceFacts {
  readonly name: string
  /** `silent`: somebody listens and does not answer. */
  readonly state: 'alive' | 'silent' | 'dead'
  readonly path: string
  readonly mode: number
  readonly owner: number
  /** Of the longest path of a socket in it, and what the system takes. */
  readonly socketPathBytes: number
  readonly socketPathLimit: number
  readonly hasControlSocket: boolean
  /** Workers that run without a supervisor. */
  readonly orphans: { readonly count: number; readonly pids: readonly number[] }
  /** Apps that should run, as a supervisor that died has written it. */
  readonly appsLeft: readonly string[]
  /** A state file is there and cannot be read. */
  readonly stateProblem: string | null
  readonly supervisor: SupervisorFacts | null
  readonly apps: readonly AppFacts[]
  /** Why what a supervisor that is there answers cannot be used, or a part of it; null when all of it can. */
  readonly answerProblem: { readonly says: string; readonly fix: string } | null
}

export interface SupervisorFacts {
  readonly pid: number
  readonly version: string
  readonly nodeVersion: string
  readonly startedAt: number
  readonly detached: boolean
  readonly keptBy: KeptBy
  /** Of a keeper. */
  readonly isKeeperAlive: boolean
  /** The Node binary that it runs is not there any more: deleted, or replaced by another. */
  readonly isNodeGone: boolean
  readonly limits: ProcessLimits | null
  readonly openFiles: number | null
  readonly groups: GroupFacts
}

export interface AppFacts {
  readonly name: string
  readonly state: AppState
  readonly reason: string | null
  readonly workers: readonly WorkerFacts[]
  readonly wanted: number
  readonly slots: number
  readonly isWatching: boolean
  /** Of its releases. */
  readonly missingPaths: readonly string[]
  /** Why a reload would refuse its config; null when it would not, or when it was not said in time. */
  readonly configProblem: string | null
  /** Addresses on which nobody accepts. */
  readonly unreachable: readonly string[]
  /** The longest that its stop may take. */
  readonly stopMs: number
}

export interface WorkerFacts {
  readonly id: number
  readonly pid: number
  /** Null where that may not be known. */
  readonly openFiles: number | null
  readonly filesSoft: number | null
}
