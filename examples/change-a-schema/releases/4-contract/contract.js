// The hook `contract`: takes the room for version 1 away, when the release that reads it is gone for good.

import { database, hasColumn } from './database.js'

if (hasColumn('name')) database.exec('ALTER TABLE people DROP COLUMN name')
