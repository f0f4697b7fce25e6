// How lines look to people: `web·2 | line`, one colour a worker, labels as wide as the widest seen so far.

import { styleText } from 'node:util'

export type LogFormat = 'json' | 'pretty'

/** `auto` is pretty on a terminal and JSON anywhere else. */
export function chooseFormat(wanted: LogFormat | 'auto', isTerminal: boolean): LogFormat {
  if (wanted !== 'auto') return wanted
  return isTerminal ? 'pretty' : 'json'
}

/** FORCE_COLOR and NO_COLOR as everywhere; `TERM=dumb` has none. */
export function wantsColor(environment: Readonly<Record<string, string | undefined>>, isTerminal: boolean): boolean {
  const { FORCE_COLOR: force, NO_COLOR: none, TERM: term } = environment
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  if (none !== undefined && none !== '') return false
  return isTerminal && term !== 'dumb'
}

/** Who a line is from: an app's worker, an app, or with null the supervisor itself. */
export interface Speaker {
  readonly app: string | null
  readonly worker?: number | undefined
}

type Style = Parameters<typeof styleText>[0]

const COLORS = ['cyan', 'green', 'magenta', 'blue', 'yellow', 'cyanBright', 'greenBright', 'magentaBright'] as const

const WIDEST_LABEL = 24

export class Labels {
  readonly #isColored: boolean
  #width = 0

  constructor(isColored: boolean) {
    this.#isColored = isColored
  }

  /** `mark` stands between label and text: `|` for an app's line, `!` for its stderr, `*` for the supervisor. */
  prefix(speaker: Speaker, mark: '|' | '!' | '*'): string {
    const label = labelOf(speaker)
    this.#width = Math.min(Math.max(this.#width, label.length), WIDEST_LABEL)
    const padding = ' '.repeat(Math.max(this.#width - label.length, 0))
    return `${this.paint(colorOf(speaker), label)}${padding} ${this.paint(mark === '!' ? 'red' : 'dim', mark)} `
  }

  paint(style: Style, text: string): string {
    // Whether there is colour is decided once, by wantsColor: this process's own stdout has no say.
    return this.#isColored ? styleText(style, text, { validateStream: false }) : text
  }
}

function labelOf({ app, worker }: Speaker): string {
  if (app === null) return 'supervise'
  return worker === undefined ? app : `${app}·${worker}`
}

function colorOf({ app, worker }: Speaker): Style {
  if (app === null) return 'bold'
  let hash = worker ?? 0
  for (let at = 0; at < app.length; at += 1) hash += app.charCodeAt(at) * (at + 1)
  return COLORS[hash % COLORS.length]!
}
