// Data of version 1: a person has a `name`.

import { database } from './database.js'

database.exec('CREATE TABLE IF NOT EXISTS people (id INTEGER PRIMARY KEY, name TEXT)')

const insert = database.prepare('INSERT INTO people (name) VALUES (?)')
const select = database.prepare('SELECT name FROM people WHERE id = ?')
const unreadable = database.prepare('SELECT count(*) AS count FROM people WHERE name IS NULL')

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
