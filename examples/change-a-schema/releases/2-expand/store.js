// Writes data of version 1, as the release before. Reads version 2, too: `first_name` and `last_name`.

import { database } from './database.js'

const insert = database.prepare('INSERT INTO people (name) VALUES (?)')
const select = database.prepare(
  "SELECT coalesce(trim(first_name || ' ' || last_name), name) AS name FROM people WHERE id = ?",
)
const unreadable = database.prepare(
  'SELECT count(*) AS count FROM people WHERE name IS NULL AND (first_name IS NULL OR last_name IS NULL)',
)

export function add(name) {
  return insert.run(name).lastInsertRowid
}

export function find(id) {
  const name = select.get(id)?.name
  return typeof name === 'string' ? name : null
}

export function countUnreadable() {
  return Number(unreadable.get()?.count)
}
