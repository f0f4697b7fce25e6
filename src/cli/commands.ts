// The table of all commands. Each one's file is loaded only when that command is typed, so that none waits for another's.

import type { Command } from 'commander'
import type { Invocation } from './invocation.ts'

/** Adds the command's arguments, options, examples and action. */
export type DefineCommand = (command: Command, invocation: Invocation) => void

export interface CommandEntry {
  readonly name: string
  readonly aliases: readonly string[]
  readonly summary: string
  /** Not in the help: the command calls itself by it. */
  readonly hidden?: boolean
  readonly load: () => Promise<{ readonly define: DefineCommand }>
}

export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'start',
    aliases: [],
    summary: 'Start an app, or the apps of a config file',
    load: () => import('./start.ts'),
  },
  {
    name: 'status',
    aliases: ['ls', 'list', 'ps'],
    summary: 'Show apps and their workers',
    load: () => import('./status.ts'),
  },
  {
    name: 'describe',
    aliases: ['show'],
    summary: 'Show everything about one app',
    load: () => import('./describe.ts'),
  },
  {
    name: 'reload',
    aliases: [],
    summary: 'Replace the workers without losing a request',
    load: () => import('./reload.ts'),
  },
  {
    name: 'restart',
    aliases: [],
    summary: 'Replace all workers, or one, with what runs now',
    load: () => import('./restart.ts'),
  },
  {
    name: 'deploy',
    aliases: [],
    summary: 'Start a release beside the one that serves, and give it the traffic',
    load: () => import('./deploy.ts'),
  },
  { name: 'flip', aliases: [], summary: 'Give the other group the traffic', load: () => import('./flip.ts') },
  { name: 'rollback', aliases: [], summary: 'Go back to an earlier release', load: () => import('./rollback.ts') },
  { name: 'rollout', aliases: [], summary: 'Show how far a rollout is', load: () => import('./rollout.ts') },
  {
    name: 'preview',
    aliases: [],
    summary: 'Reach the release that has no public traffic',
    load: () => import('./preview.ts'),
  },
  { name: 'promote', aliases: [], summary: 'Let a rollout go on to its end', load: () => import('./promote.ts') },
  { name: 'pause', aliases: [], summary: 'Hold a rollout where it is', load: () => import('./pause.ts') },
  { name: 'resume', aliases: [], summary: 'Let a paused rollout go on', load: () => import('./resume.ts') },
  { name: 'abort', aliases: [], summary: 'Give a rollout up and go back', load: () => import('./abort.ts') },
  { name: 'history', aliases: [], summary: 'Show the releases of an app', load: () => import('./history.ts') },
  { name: 'stop', aliases: [], summary: 'Drain and stop an app, or everything', load: () => import('./stop.ts') },
  { name: 'delete', aliases: ['rm'], summary: 'Stop an app and forget it', load: () => import('./delete.ts') },
  { name: 'scale', aliases: [], summary: 'Change the number of workers', load: () => import('./scale.ts') },
  { name: 'signal', aliases: [], summary: 'Send a signal to the workers', load: () => import('./signal.ts') },
  { name: 'logs', aliases: ['log'], summary: 'Show what the workers write', load: () => import('./logs.ts') },
  { name: 'events', aliases: [], summary: 'Show what happened, and why', load: () => import('./events.ts') },
  { name: 'crashes', aliases: [], summary: 'Show crashes with their last lines', load: () => import('./crashes.ts') },
  { name: 'top', aliases: [], summary: 'Watch everything live', load: () => import('./top.ts') },
  { name: 'metrics', aliases: [], summary: 'Show the figures of everything', load: () => import('./metrics.ts') },
  { name: 'ping', aliases: [], summary: 'Ask whether the supervisor answers', load: () => import('./ping.ts') },
  {
    name: 'systemd',
    aliases: [],
    summary: 'Run an instance as a systemd unit',
    load: () => import('./systemd.ts'),
  },
  {
    name: 'doctor',
    aliases: [],
    summary: 'Look at everything that could hurt, and say what to type',
    load: () => import('./doctor.ts'),
  },
  {
    name: 'chaos',
    aliases: [],
    summary: 'Rehearse failures, and see what users saw of them',
    load: () => import('./chaos.ts'),
  },
  { name: 'check', aliases: [], summary: 'Check a config without starting anything', load: () => import('./check.ts') },
  { name: 'diff', aliases: [], summary: 'Show what a reload would change', load: () => import('./diff.ts') },
  {
    name: 'upgrade',
    aliases: [],
    summary: 'Let this version of supervise take over from the one that runs',
    load: () => import('./upgrade.ts'),
  },
  {
    name: 'take-over',
    aliases: [],
    summary: 'Be the supervisor that takes over at `upgrade`',
    hidden: true,
    load: () => import('./take-over.ts'),
  },
  {
    name: 'serve-detached',
    aliases: [],
    summary: 'Be the supervisor that `start --detach` leaves behind',
    hidden: true,
    load: () => import('./serve-detached.ts'),
  },
]
