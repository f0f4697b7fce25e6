// For whoever asks for logs: the records in an app's log files, and the test of a record that the supervisor itself makes of
// those in its memory.

export { readHistory } from '../telemetry/log-history.ts'
export { matchesQuery } from '../telemetry/log-query.ts'
export type { LogQuery } from '../supervisor/operations.ts'
