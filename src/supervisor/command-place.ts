// Asking a command over HTTP. It has no private endpoint: it is asked where its clients come in, and any of its processes that
// has the socket may answer.

import type { AppConfig, ListenAddress } from '../config/app-config.ts'
import { localHosts } from './local-hosts.ts'
import { askPlace, type Place } from './probe-question.ts'

type Addressed = Pick<AppConfig, 'listen' | 'env'>

/** Where it is reached from here: at its addresses, else at the port that it is told; none when it has neither. */
export function placesOfCommand({ listen, env }: Addressed): readonly Place[] {
  const own = Number(env['PORT'])
  const told: readonly ListenAddress[] = Number.isInteger(own) && own > 0 ? [{ host: '127.0.0.1', port: own }] : []
  const given = listen ?? []
  return (given.length > 0 ? given : told).map((address) => ({ speaks: 'http', to: reachable(address), name: null }))
}

/** Never rejects. */
export async function askCommand(
  config: Addressed,
  path: string,
  withinMs: number,
): Promise<{ readonly problem: string | null }> {
  const [place] = placesOfCommand(config)
  if (place === undefined) return { problem: 'has no address' }
  const headers = { host: 'localhost', 'user-agent': 'supervise' }
  return askPlace({ place, path, headers, withinMs, status: null, body: null })
}

function reachable(address: ListenAddress): Place['to'] {
  if ('path' in address) return address
  return { host: localHosts(address.host)[0], port: address.port }
}
