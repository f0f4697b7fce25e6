// Writes the pages of docs/ that are made from tables in src/. With --check it writes nothing and fails when one is
// stale. A new page is a line in PAGES.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { renderCliPage } from './cli-page.ts'
import { renderConfigPage } from './config-page.ts'
import { renderDashboard } from './grafana-dashboard.ts'
import { renderMachinesPage } from './machines-page.ts'
import { renderMetricsPage } from './metrics-page.ts'
import { renderPromisesPage } from './promises-page.ts'

export interface Page {
  /** From the root of the project. */
  readonly path: string
  readonly render: () => string
}

export const PAGES: readonly Page[] = [
  { path: 'docs/reference/config.md', render: renderConfigPage },
  { path: 'docs/reference/cli.md', render: renderCliPage },
  { path: 'docs/reference/machines.md', render: renderMachinesPage },
  { path: 'docs/reference/metrics.md', render: renderMetricsPage },
  { path: 'grafana/supervise.json', render: renderDashboard },
  { path: 'docs/explanation/promises.md', render: renderPromisesPage },
]

const root = fileURLToPath(new URL('..', import.meta.url))

/** The pages that are not what they would be if they were written now. */
export function stalePages(): readonly Page[] {
  return PAGES.filter(({ path, render }) => !existsSync(root + path) || readFileSync(root + path, 'utf8') !== render())
}

if (import.meta.main) {
  const stale = stalePages()
  const check = process.argv.includes('--check')
  for (const { path, render } of stale) {
    console.error(check ? `stale: ${path}; run \`node scripts/generate-docs.ts\`` : `written: ${path}`)
    if (check) continue
    mkdirSync(dirname(root + path), { recursive: true })
    writeFileSync(root + path, render())
  }
  if (check && stale.length > 0) process.exitCode = 1
}
