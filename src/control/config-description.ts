// What `describe` tells of an app's configuration.

export interface ConfigDescription {
  readonly file: string | null
  /** The app's main module, or the program of a command. */
  readonly script: string
  /** False for a command, whose requests, drain and event loop are not seen. */
  readonly hasAgent: boolean
  readonly args: readonly string[]
  readonly cwd: string
  readonly nodeArgs: readonly string[]
  /** The Node binary; null is the supervisor's own. */
  readonly node: string | null
  /** Names only: values may be secrets. */
  readonly environmentNames: readonly string[]
  /** All other options, as they are in force. */
  readonly options: Readonly<Record<string, unknown>>
}
