// Samples taken in turns: a b c d a b c d …, so that whatever the machine does meanwhile falls on all of them.

import type { ColumnName } from './contenders/contender.ts'
import { cell, type Cells } from './figure.ts'

/** Every app's samples, by contender, in the order of the turns. */
export async function takeTurns<App extends { readonly name: ColumnName }>(
  apps: readonly App[],
  turns: number,
  sample: (app: App) => Promise<number>,
): Promise<Cells> {
  const samples = new Map<ColumnName, number[]>(apps.map(({ name }) => [name, []]))
  for (let turn = 0; turn < turns; turn++) {
    for (const app of apps) samples.get(app.name)?.push(await sample(app))
  }
  return Object.fromEntries([...samples].map(([name, taken]) => [name, cell(taken)]))
}
