// `supervise preview`: where the release without public traffic can be reached, or a command that is run against it.

import type { Command } from 'commander'
import type { PreviewStatus } from '../control/release-messages.ts'
import { wrongUsage } from '../errors/cli.ts'
import { previewNotReady } from '../errors/release.ts'
import { EXIT } from '../errors.ts'
import { chooseApp } from './instances.ts'
import type { Invocation } from './invocation.ts'
import { openLoopbackPort } from './loopback-port.ts'
import { appPath } from './operation.ts'
import { addExamples } from './program.ts'
import { runCommand } from './run-command.ts'

export function define(command: Command, invocation: Invocation): void {
  command
    .argument('[app]', 'which app; may be left out when there is one')
    .usage('[app] [options] [-- command …]')
    .description(
      'Says where the release that has no public traffic can be reached. What follows -- is run as a command, with {url} ' +
        'replaced by its address, and SUPERVISE_PREVIEW_URL, SUPERVISE_ENDPOINT (a Unix socket), SUPERVISE_RELEASE and ' +
        'SUPERVISE_GROUP in its environment; its exit code is the exit code. Where no address is configured (`preview`), one on ' +
        'the loopback is open as long as the command runs.',
    )
    .action(async (app: string | undefined) => {
      invocation.exitCode = await preview(app ?? null, invocation)
    })
  addExamples(command, [
    { command: 'supervise preview web', does: 'its address, and what to type' },
    { command: 'supervise preview web -- curl -s {url}/healthz', does: 'one request to it' },
    { command: 'supervise preview web -- npm run smoke', does: 'a test, with the address in SUPERVISE_PREVIEW_URL' },
  ])
}

async function preview(app: string | null, invocation: Invocation): Promise<number> {
  const { client, app: status } = await chooseApp(app, 'preview', invocation)
  const found = await client.get<PreviewStatus>(appPath(status.name, 'preview'))
  const { output, afterDashes } = invocation
  if (found.endpoints.length === 0) throw previewNotReady(found.app, found.release)
  if (afterDashes !== null) return runAgainst(found, afterDashes, invocation)
  if (output.json) output.document(found)
  else output.lines(renderPreview(found))
  return EXIT.ok
}

/** An address that programs can take: that of a Unix socket is none. */
function tcpUrl({ url }: PreviewStatus): string | null {
  return url?.startsWith('http') === true ? url : null
}

function renderPreview(found: PreviewStatus): string[] {
  const { app, release, version, endpoints } = found
  const heading = `${app}: ${version === null ? release : `${release} (${version})`} has no public traffic, and answers on`
  const url = tcpUrl(found)
  const [endpoint = ''] = endpoints
  const places = url === null ? endpoints : [url]
  const curl = url === null ? `curl --unix-socket ${endpoint} http://localhost/` : `curl ${url}/`
  return [heading, ...places.map((place) => `  ${place}`), `Try: ${curl}`]
}

async function runAgainst(found: PreviewStatus, words: readonly string[], invocation: Invocation): Promise<number> {
  const [program, ...args] = words
  if (program === undefined)
    throw wrongUsage('run nothing against the preview', 'Name a command after --, or leave -- out to see the address.')
  const port = tcpUrl(found) === null ? await openLoopbackPort(found.endpoints) : null
  const url = port?.url ?? found.url ?? ''
  try {
    return await runCommand({
      program,
      args: args.map((word) => word.replaceAll('{url}', url)),
      environment: { ...invocation.environment, ...variablesOf(found, url) },
      output: invocation.output,
    })
  } finally {
    port?.close()
  }
}

function variablesOf({ app, release, group, endpoints }: PreviewStatus, url: string): Record<string, string> {
  return {
    SUPERVISE_APP: app,
    SUPERVISE_RELEASE: release,
    SUPERVISE_GROUP: group,
    SUPERVISE_PREVIEW_URL: url,
    SUPERVISE_ENDPOINT: endpoints[0] ?? '',
  }
}
