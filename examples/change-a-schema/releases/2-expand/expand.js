// The hook `expand`: makes room for version 2, before this release starts. The release before is serving meanwhile and must
// not notice, so there is nothing here but new columns that may be empty. Running it twice does no harm.

import { database, hasColumn } from './database.js'

for (const column of ['first_name', 'last_name'])
  if (!hasColumn(column)) database.exec(`ALTER TABLE people ADD COLUMN ${column} TEXT`)
