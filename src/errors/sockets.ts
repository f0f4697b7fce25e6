// Errors that a user can meet: addresses that cannot be listened on. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

const SHOWN_COMMAND = 100

/** `owner` is null when it cannot be known. */
export function portInUse(address: string, owner: { readonly pid: number; readonly command: string } | null) {
  const by = owner === null ? '' : ` by process ${owner.pid} (${cut(owner.command)})`
  return new SuperviseError('PORT_IN_USE', `Cannot listen on "${address}": it is in use${by}`, fixForPort(owner))
}

function cut(command: string): string {
  return command.length > SHOWN_COMMAND ? `${command.slice(0, SHOWN_COMMAND - 1)}…` : command
}

function fixForPort(owner: { readonly pid: number; readonly command: string } | null): string {
  if (owner === null) return 'Give the app another port, or stop what listens there (`ss -ltnp` names it).'
  if (owner.pid === process.pid) {
    return 'An app of this supervisor has it, there or at an address that includes it. Give this app another port. To move an app to another address of the port that it has, stop it, then start it: a reload cannot.'
  }
  // Killing a supervisor, or a worker that serves without one, is never what is wanted.
  if (/\bsupervise(\.js)?\b.* (start|serve-detached)\b|\/agent\/preload\.js/.test(owner.command)) {
    return 'An app of supervise has it. `supervise status` says which: stop that one, or give this app another port.'
  }
  return `Give the app another port, or stop that process: \`kill ${owner.pid}\`.`
}

export function portNotPermitted(address: string, port: number) {
  return new SuperviseError(
    'PORT_NOT_PERMITTED',
    `Cannot listen on "${address}": this user may not bind port ${port}`,
    `Give the app a port of 1024 or above, let systemd open the port, or allow it: \`sysctl net.ipv4.ip_unprivileged_port_start=${port}\`, or \`setcap cap_net_bind_service=+ep\` on the node binary.`,
    EXIT.noPermission,
  )
}

export function addressNotAvailable(address: string) {
  return new SuperviseError(
    'ADDRESS_NOT_AVAILABLE',
    `Cannot listen on "${address}": this machine has no such address`,
    'Listen on 0.0.0.0 or ::, or on an address that `ip address` shows.',
  )
}

export function socketPathInUse(path: string, isAbstract: boolean) {
  return new SuperviseError(
    'SOCKET_PATH_IN_USE',
    isAbstract
      ? `Cannot listen on "${path}": another process has this abstract socket`
      : `Cannot listen on "${path}": another server has it, or a file is in the way`,
    isAbstract
      ? 'Stop that process (`ss -lxp` names it), or give the app another name.'
      : `Stop what listens there (\`ss -lxp\` names it). If nothing does, delete the file: \`rm '${path}'\`.`,
  )
}

export function socketPathNotUsable(path: string, why: string) {
  return new SuperviseError(
    'SOCKET_PATH_NOT_USABLE',
    `Cannot listen on "${path}": ${why}`,
    'Give the app the path of a socket in a directory such as /run/<app> that exists and that its user may write to.',
  )
}

export function outOfDescriptors(address: string) {
  return new SuperviseError(
    'OUT_OF_DESCRIPTORS',
    `Cannot listen on "${address}": the supervisor has no descriptor left`,
    'Raise the limit (`ulimit -n`, `LimitNOFILE=` under systemd) and start again.',
  )
}

export function listenFailed(address: string, code: string) {
  return new SuperviseError(
    'LISTEN_FAILED',
    `Cannot listen on "${address}": the system says ${code}`,
    'Try the same address under plain `node`: it should fail there too.',
  )
}
