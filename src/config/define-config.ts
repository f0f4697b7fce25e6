// Gives an editor the types of a config file; at run time it does nothing.

import type { ConfigExport } from './app-options.ts'

/**
 * Returns what it is given, so that an editor knows the options: `export default defineConfig({ script: 'app.js' })`.
 * It is not generic, since TypeScript would then not mind an option that does not exist.
 */
export function defineConfig(config: ConfigExport): ConfigExport {
  return config
}
