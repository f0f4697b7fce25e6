// The database that all releases share. It is outside of them, as everything must be that outlives a release.

import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

export const database = new DatabaseSync(process.env.DATABASE ?? join(tmpdir(), 'supervise-people.db'))

// Several workers, of two releases at times: writers wait for each other, readers for nobody.
database.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL')

export function hasColumn(name) {
  return database.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get('people', name) !== undefined
}
