// Writes data of version 2. Still reads version 1, which the release before writes while both are up, and has written.

import { database } from './database.js'
import { splitName } from './split-name.js'

const insert = database.prepare('INSERT INTO people (first_name, last_name) VALUES (?, ?)')
const select = database.prepare(
  "SELECT coalesce(trim(first_name || ' ' || last_name), name) AS name FROM people WHERE id = ?",
)
const unreadable = database.prepare(
  'SELECT count(*) AS count FROM people WHERE name IS NULL AND (first_name IS NULL OR last_name IS NULL)',
)

export function add(name) {
  return insert.run(...splitName(name)).lastInsertRowid
}

export function find(id) {
  const name = select.get(id)?.name
  return typeof name === 'string' ? name : null
}

export function countUnreadable() {
  return Number(unreadable.get()?.count)
}
