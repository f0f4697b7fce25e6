// What each exit code says, for the help and the reference.

import { EXIT } from '../errors.ts'

type Outcome = keyof typeof EXIT

export const EXIT_MEANINGS: Readonly<Record<Outcome, string>> = {
  ok: 'done; for `status`: all apps are well',
  failed:
    'failed; for `status`: an app is not well; for `diff`: a reload would change something; for `doctor`: something hurts; for `chaos`: users saw more than they need have',
  usage: 'wrong usage: nothing was done',
  notRunning: 'no supervisor runs',
  unknownTarget: 'no such app or worker',
  rolloutFailed: 'the new workers were refused, and the old ones still serve',
  degraded: 'it failed, and the app is degraded now',
  timedOut: 'waited long enough; it goes on in the supervisor',
  busy: 'something else holds the app or the instance',
  noPermission: 'this user may not',
  invalidConfig: 'the config is wrong: nothing was done',
  interrupted: 'Ctrl-C; what was asked goes on in the supervisor, but for `chaos`, which ends',
}

export function exitCodes(): readonly { readonly code: number; readonly meaning: string }[] {
  // The table's own keys: nothing else can be in it, or it would not have compiled.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const outcomes = Object.keys(EXIT_MEANINGS) as Outcome[]
  const codes = outcomes.map((outcome) => ({ code: EXIT[outcome], meaning: EXIT_MEANINGS[outcome] }))
  return codes.toSorted((a, b) => a.code - b.code)
}
