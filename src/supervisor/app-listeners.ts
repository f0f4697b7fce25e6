// Where an app's clients come in, whoever has the sockets: slots that are lent to workers with an agent, or sockets that are
// given to commands.

import type { AppConfig } from '../config/app-config.ts'
import type { ListenerStatus } from '../control/messages.ts'
import type { CommandSockets } from './command-sockets.ts'
import type { Lending } from './lending.ts'

interface Listening {
  readonly lending: Lending
  readonly sockets: CommandSockets
  readonly config: AppConfig
}

export function listenersOf({ lending, sockets }: Pick<Listening, 'lending' | 'sockets'>): readonly ListenerStatus[] {
  return [...lending.status(), ...sockets.status()]
}

/** ` on 0.0.0.0:3000, /run/app.sock`, or nothing for an app that does not listen. */
export function placesInWords(app: Listening): string {
  const places = listenersOf(app).map(
    ({ address, port, path }) => path ?? `${address?.includes(':') === true ? `[${address}]` : address}:${port}`,
  )
  return places.length === 0 ? '' : ` on ${places.join(', ')}`
}

/** Closes what the release that serves does not have any more, or what a release that was refused had opened. */
export function closeUnused({ lending, sockets, config }: Listening): void {
  lending.closeUnused()
  sockets.keepOnly(config)
}

export function closeListeners({ lending, sockets }: Listening): void {
  lending.closeAll()
  sockets.keepOnly({ listen: [] })
}
