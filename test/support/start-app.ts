// A supervisor with one app on a free port, for tests that make their own requests.

import { freePort } from './free-port.ts'
import { startSupervise, type Supervise, type SuperviseOptions } from './harness.ts'
import { QUICK } from './under-load.ts'

export interface StartedApp {
  readonly supervise: Supervise
  readonly port: number
  readonly target: { readonly host: string; readonly port: number }
}

/** Flags that come later win, so `args` may change the quick times. */
export async function startApp(
  script: string,
  args: readonly string[] = [],
  options: SuperviseOptions = {},
): Promise<StartedApp> {
  const port = await freePort(2)
  const supervise = await startSupervise([script, '-i', '2', '--port', String(port), ...QUICK, ...args], options)
  return { supervise, port, target: { host: '127.0.0.1', port } }
}
