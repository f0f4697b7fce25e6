// `supervise history`: the releases of an app, and how each rollout ended.

import type { Command } from 'commander'
import type { ReleaseStatus } from '../control/messages.ts'
import { nearest } from '../config/suggest.ts'
import { unknownRelease } from '../errors/release.ts'
import { EXIT } from '../errors.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'
import { renderRelease } from './release-view.ts'
import { renderTable, type Column } from './table.ts'
import { oneLine } from './text-width.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .argument('[release]', 'one release, by its id or version: how it did when it was tried and while it was watched')
    .description('Shows the releases of an app, oldest first: which serves, which is warm, and how each rollout ended.')
    .action(async (app: string | undefined, name: string | undefined) => {
      const target = await chooseApp(app ?? null, 'history', invocation)
      const answer = await target.client.get<{ readonly releases: readonly ReleaseStatus[] }>(
        appPath(target.app.name, 'history'),
      )
      const { output } = invocation
      if (name !== undefined) showOne(target.app.name, find(target.app.name, answer.releases, name), invocation)
      else if (output.json) output.document(answer)
      else output.table(renderTable(HEADER, answer.releases.map(row), output.width))
      invocation.exitCode = EXIT.ok
    })
  addExamples(command, [
    { command: 'supervise history web', does: 'what `supervise rollback web <release>` can go back to' },
    { command: 'supervise history web r2', does: 'why r2 was taken back, with the figures' },
  ])
}

function showOne(app: string, release: ReleaseStatus, { output }: Invocation): void {
  if (output.json) output.document({ app, release })
  else output.lines(renderRelease(release, output.paint))
}

/** By its id, or the newest of that version. */
function find(app: string, releases: readonly ReleaseStatus[], name: string): ReleaseStatus {
  const byId = releases.find(({ release }) => release === name)
  const found = byId ?? releases.findLast(({ version }) => version === name)
  if (found !== undefined) return found
  const names = releases.flatMap(({ release, version }) => (version === null ? [release] : [release, version]))
  throw unknownRelease(app, name, names, nearest(name, names))
}

const HEADER: readonly Column[] = [
  { title: 'RELEASE' },
  { title: 'VERSION' },
  { title: 'ROLE' },
  { title: 'OUTCOME' },
  { title: 'CREATED' },
  { title: 'BY', below: true },
  { title: 'PATH', below: true },
  { title: 'WHY', below: true },
]

function row({ release, version, role, outcome, createdAt, deployedBy, path, why }: ReleaseStatus): string[] {
  const created = createdAt.replace(/\.\d+Z$/, 'Z')
  return [release, version ?? '-', role ?? '-', outcome ?? '-', created, oneLine(deployedBy), path, oneLine(why ?? '')]
}
