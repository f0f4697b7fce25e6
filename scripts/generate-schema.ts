// Writes config-schema.json into the folder given (dist/), which the package exports as supervise/config-schema.json.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { renderConfigSchema } from './config-schema.ts'

const [folder = 'dist'] = process.argv.slice(2)
writeFileSync(join(folder, 'config-schema.json'), `${JSON.stringify(renderConfigSchema(), null, 2)}\n`)
