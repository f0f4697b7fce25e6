// Whether a stream takes colours, and painting text for it. NO_COLOR, FORCE_COLOR and TERM=dumb as everywhere.

import { styleText } from 'node:util'

export type Colour = 'green' | 'yellow' | 'red' | 'cyan' | 'dim' | 'bold'
export type Paint = (colour: Colour, text: string) => string

export const plain: Paint = (_colour, text) => text
export const coloured: Paint = (colour, text) => styleText(colour, text, { validateStream: false })

export interface ColourFacts {
  readonly isTerminal: boolean
  /** `--no-color`, which wins over the environment. */
  readonly refused: boolean
  readonly environment: Readonly<Record<string, string | undefined>>
}

export function choosePaint({ isTerminal, refused, environment }: ColourFacts): Paint {
  if (refused) return plain
  const forced = environment.FORCE_COLOR
  if (forced !== undefined) return forced === '0' || forced === 'false' ? plain : coloured
  if (environment.NO_COLOR) return plain
  return isTerminal && environment.TERM !== 'dumb' ? coloured : plain
}
