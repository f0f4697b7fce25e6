// The header by which a worker knows a probe of its own supervisor at the app's public address, to leave it out of what it
// counts. It is the first of the request, so that one look finds it, and its value is the supervisor's secret.

export const PROBE_HEADER = 'x-supervise-probe'
