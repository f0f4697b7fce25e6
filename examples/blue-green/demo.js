// Shows what blue-green is: releases that are deployed, switched and taken back while a client asks all the time.
//
//   node examples/blue-green/demo.js [--quick] [how a release is broken …]

import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs, styleText } from 'node:util'
import { Client } from './client.js'
import { freePort, Place } from './place.js'

/** How a release may be broken, and what becomes of its deploy: refused (exit code 5), or taken back after it served. */
const WAYS = {
  'throws-at-boot': {
    refused: true,
    say: 'Now a release that throws when it starts. It never gets ready, so it is refused:',
  },
  'hangs-at-boot': {
    refused: true,
    say: 'Now one that neither starts nor says why not. It is given up after its deadline:',
  },
  'answers-500': {
    refused: true,
    say: 'Now one that starts, and answers everything with 500. Its smoke test sees that:',
  },
  crashes: { refused: false, say: 'Now one that passes all of this, and crashes when it has served for a moment:' },
}

const { values, positionals } = parseArgs({ options: { quick: { type: 'boolean' } }, allowPositionals: true })
const unknown = positionals.find((way) => !(way in WAYS))
if (unknown !== undefined) {
  console.error(`A release cannot be broken by "${unknown}"; there is ${Object.keys(WAYS).join(', ')}.`)
  process.exit(2)
}
const ways = positionals.length > 0 ? positionals : ['throws-at-boot', 'answers-500', 'crashes']

const place = new Place()
let interrupted = false
for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, () => {
    interrupted = true
    void place.remove().then(() => process.exit(code))
  })
}

try {
  process.exitCode = (await demo()) ? 0 : 1
} catch (error) {
  if (!interrupted) throw error
} finally {
  if (!interrupted) await place.remove()
}

async function demo() {
  const [port, preview] = [await freePort(), await freePort()]
  say('Two processes serve release 1. A client asks all the time:')
  await command(0, 'start', '-d', 'supervise.config.js', '--port', String(port), '--preview', `127.0.0.1:${preview}`)
  const client = new Client(`http://127.0.0.1:${port}/`)
  await client.sees('release 1')

  say('Release 2 starts beside it, is tried, and gets all requests at once:')
  await command(0, 'deploy', 'web', 'releases/2')
  await client.sees('release 2')
  say('Both run now, and one of them has the traffic:')
  await command(0, 'status')
  say('Back to release 1, which is still warm: no process is started, so it takes milliseconds.')
  await command(0, 'rollback', 'web')
  await client.sees('release 1')
  say('And to release 2 again:')
  await command(0, 'flip', 'web')
  await client.sees('release 2')

  for (const way of ways) await showBroken(client, way)
  say('All that was deployed, and what became of it:')
  await command(0, 'history', 'web')
  await client.end()
  return report(client)
}

async function showBroken(client, way) {
  const { refused, say: what } = WAYS[way]
  const release = place.makeBroken(way)
  say(what)
  await command(refused ? 5 : 0, 'deploy', 'web', release, '--version', `3.0.0-${way}`)
  if (!refused) {
    say('It serves and is watched. When it crashes, the traffic goes back by itself:')
    await client.sees('release 2', 100)
    await command(0, 'history', 'web', `3.0.0-${way}`)
  }
  await client.sees('release 2')
}

/** Shows the command and what it says; throws when its exit code is another one. */
async function command(expected, ...args) {
  console.log(styleText('bold', `$ supervise ${args.join(' ')}`))
  const code = await place.run(args)
  if (code !== expected) throw new Error(`supervise ${args.join(' ')} ended with exit code ${code}, not ${expected}`)
  if (code !== 0) console.log(`(exit code ${code})`)
  await breathe()
}

function say(text) {
  console.log(`\n${styleText('cyan', text)}`)
}

/** For whoever reads along. */
async function breathe() {
  if (values.quick !== true) await pause(1500)
}

function report({ answers, failures }) {
  say('What the client saw:')
  for (const [text, count] of [...answers].toSorted(([one], [other]) => one.localeCompare(other)))
    console.log(`  ${text}  ${String(count).padStart(6)} answers`)
  console.log(`  failed     ${String(failures.length).padStart(6)}`)
  for (const failure of new Set(failures)) console.log(`             ${failure}`)
  return failures.length === 0
}
