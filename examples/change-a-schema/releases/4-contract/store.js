// Data of version 2 alone: `first_name` and `last_name`.

import { database } from './database.js'
import { splitName } from './split-name.js'

const insert = database.prepare('INSERT INTO people (first_name, last_name) VALUES (?, ?)')
const select = database.prepare("SELECT trim(first_name || ' ' || last_name) AS name FROM people WHERE id = ?")
const unreadable = database.prepare(
  'SELECT count(*) AS count FROM people WHERE first_name IS NULL OR last_name IS NULL',
)

export function add(name) {
  return insert.run(...splitName(name)).lastInsertRowid
}

export function find(id) {
  const name = select.get(id)?.name
  return typeof name === 'string' ? name : null
}

/** More than none until backfill.js of the release before has run: then this release is refused by its smoke test. */
export function countUnreadable() {
  return Number(unreadable.get()?.count)
}
