// Errors that a user can meet: mistakes in configuration and flags. One function each: code, message and fix together.

import { EXIT, SuperviseError } from '../errors.ts'

/** `lines` has one line a mistake: its place, the value, what may be written. */
export function invalidConfig(file: string, places: string, lines: readonly string[]) {
  return new SuperviseError(
    'INVALID_CONFIG',
    `Cannot use config "${file}": mistake in ${places}`,
    'Correct what the lines above name. `supervise check` reads everything again and starts nothing.',
    EXIT.invalidConfig,
    { lines },
  )
}

/** As `invalidConfig`, without a file: SUPERVISE_ variables, or an app that changed since it was started. */
export function invalidOptions(places: string, lines: readonly string[]) {
  return new SuperviseError(
    'INVALID_OPTIONS',
    `Cannot use the options: mistake in ${places}`,
    'Correct what the lines above name. `supervise check` reads everything again and starts nothing.',
    EXIT.invalidConfig,
    { lines },
  )
}

export function invalidFlags(places: string, lines: readonly string[]) {
  return new SuperviseError(
    'INVALID_FLAGS',
    `Cannot use the flags: mistake in ${places}`,
    'Correct the command. `supervise start --help` lists every flag.',
    EXIT.usage,
    { lines },
  )
}

export function configAmbiguous(directory: string, names: readonly string[]) {
  return new SuperviseError(
    'CONFIG_AMBIGUOUS',
    `Cannot choose a config in "${directory}": it has ${names.map((name) => `"${name}"`).join(' and ')}`,
    `Remove all but one, or name the one that you mean: \`supervise start ${names[0]}\`.`,
    EXIT.invalidConfig,
  )
}

export function configUnreadable(file: string, reason: string) {
  return new SuperviseError(
    'CONFIG_UNREADABLE',
    `Cannot read config "${file}": ${reason}`,
    'Check that the file exists and that this user may read it.',
    EXIT.invalidConfig,
  )
}

export function configMalformed(file: string, language: 'JSON' | 'YAML', lines: readonly string[]) {
  return new SuperviseError(
    'CONFIG_MALFORMED',
    `Cannot read config "${file}": it is not valid ${language}`,
    'Correct the file at the place that the lines above name.',
    EXIT.invalidConfig,
    { lines },
  )
}

/** `lines` is the stack, down to the user's own files. */
export function configEvaluationFailed(file: string, lines: readonly string[]) {
  return new SuperviseError(
    'CONFIG_EVALUATION_FAILED',
    `Cannot evaluate config "${file}": it ended with an error`,
    `Correct the file. \`node ${file}\` runs it by itself.`,
    EXIT.invalidConfig,
    { lines },
  )
}

export function configEvaluationTimedOut(file: string, limitMs: number) {
  return new SuperviseError(
    'CONFIG_EVALUATION_TIMED_OUT',
    `Cannot evaluate config "${file}": it did not end within ${limitMs} ms`,
    'Take out what waits, such as a request to another machine.',
    EXIT.invalidConfig,
  )
}

export function configExportsNothing(file: string) {
  return new SuperviseError(
    'CONFIG_EXPORTS_NOTHING',
    `Cannot use config "${file}": it has no default export`,
    "Write `export default { script: 'app.js' }`, or `module.exports = …` in CommonJS.",
    EXIT.invalidConfig,
  )
}

export function appNotInConfig(file: string, app: string, names: readonly string[]) {
  return new SuperviseError(
    'APP_NOT_IN_CONFIG',
    `Cannot find app "${app}" in config "${file}": it has ${names.map((name) => `"${name}"`).join(', ') || 'no app'}`,
    `Give the app its old name again, or end it with \`supervise delete ${app}\` and start the new one.`,
    EXIT.invalidConfig,
  )
}

export function flagForOneApp(place: string, file: string, names: readonly string[]) {
  return new SuperviseError(
    'FLAG_FOR_ONE_APP',
    `Cannot use ${place} for several apps: config "${file}" has ${names.map((name) => `"${name}"`).join(', ')}`,
    `Leave out ${place}, and write it into the config at the app that you mean.`,
    EXIT.usage,
  )
}

export function targetNotFound(target: string, suggestion: string | null) {
  return new SuperviseError(
    'TARGET_NOT_FOUND',
    `Cannot start "${target}": there is no such file or directory`,
    suggestion === null
      ? 'Name a script, a config file, or a directory that has one of them.'
      : `Did you mean \`supervise start ${suggestion}\`?`,
    EXIT.usage,
  )
}

/** `looked` has one line for each thing that was looked for. */
export function nothingToStart(directory: string, looked: readonly string[]) {
  return new SuperviseError(
    'NOTHING_TO_START',
    `Cannot find anything to start in "${directory}": it has neither a config nor a script`,
    'Name the script: `supervise start app.js`. Or write a supervise.config.json with { "script": "app.js" }.',
    EXIT.usage,
    { lines: looked },
  )
}
