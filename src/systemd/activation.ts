// What systemd passes to the process that it starts: descriptors from 3 on, and the variables that say which
// (sd_listen_fds(3)).

type Environment = Record<string, string | undefined>

export interface PassedDescriptor {
  readonly fd: number
  /** `FileDescriptorName=` of the unit; "unknown" where systemd gave none. */
  readonly name: string
}

export interface Activation {
  readonly descriptors: readonly PassedDescriptor[]
  /** What is wrong with the variables, for people; null when nothing is. */
  readonly problem: string | null
}

/** Of the descriptor that the printed unit opens. Sockets have the name of their instance, and none begins with a dot. */
export const NOTIFY_NAME = '.notify'

const FIRST_DESCRIPTOR = 3
const NOTHING: Activation = { descriptors: [], problem: null }

/** Reads the variables of this process and takes them away: whatever it starts must not take them for its own. */
export function takeActivation(environment: Environment, pid: number): Activation {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = environment
  delete environment['LISTEN_PID']
  delete environment['LISTEN_FDS']
  delete environment['LISTEN_FDNAMES']
  if (count === undefined && forPid === undefined) return NOTHING
  return readActivation({ pid: forPid, count, names }, pid)
}

interface Variables {
  readonly pid: string | undefined
  readonly count: string | undefined
  readonly names: string | undefined
}

function readActivation(variables: Variables, pid: number): Activation {
  const count = wholeNumber(variables.count)
  const forPid = wholeNumber(variables.pid)
  if (count === null || forPid === null)
    return {
      descriptors: [],
      problem: `LISTEN_FDS and LISTEN_PID must be whole numbers, and are "${variables.count ?? ''}" and "${variables.pid ?? ''}"`,
    }
  // Meant for a process between systemd and this one, such as a shell script that did not `exec`.
  if (forPid !== pid)
    return {
      descriptors: [],
      problem: `the sockets are meant for process ${forPid}, and this is ${pid}: start supervise without a shell or npx between`,
    }
  const names = variables.names?.split(':') ?? []
  const descriptors = Array.from({ length: count }, (_, index) => ({
    fd: FIRST_DESCRIPTOR + index,
    name: names[index] || 'unknown',
  }))
  return { descriptors, problem: null }
}

function wholeNumber(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}
