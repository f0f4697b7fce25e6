// Brings what was written before the switch to version 2. To be run while this release serves, when the one before it is
// gone: nobody writes version 1 any more. Takes as long as it takes, a hundred at a time, and can be run again.

import { database } from './database.js'
import { splitName } from './split-name.js'

const next = database.prepare('SELECT id, name FROM people WHERE first_name IS NULL LIMIT 100')
const update = database.prepare('UPDATE people SET first_name = ?, last_name = ? WHERE id = ?')

let count = 0
for (let rows = next.all(); rows.length > 0; rows = next.all()) {
  for (const { id, name } of rows) update.run(...splitName(name), id)
  count += rows.length
}
console.log(`${count} brought to version 2`)
