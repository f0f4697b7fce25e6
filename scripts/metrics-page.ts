// docs/reference/metrics.md, from the table in src/telemetry/metric-table.ts.

import { METRICS, type MetricSpec } from '../src/telemetry/metric-table.ts'

export function renderMetricsPage(): string {
  const rows = Object.entries<MetricSpec>(METRICS).map(
    ([name, { type, labels, help }]) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${cell(help)} |`,
  )
  return `# Metrics

Written from \`src/telemetry/metric-table.ts\` by \`node scripts/generate-docs.ts\`; a test fails when the two differ.

\`supervise metrics\` prints them; \`supervise start --admin 127.0.0.1:9615\` serves them at \`/metrics\`, and \`GET /v1/metrics\` of the [control API](control-api.md)
gives them on the control socket.

- Counters never go back: not when a worker ends, and not when the supervisor is killed or started again. They are kept in the state directory.
- A request is counted by the worker whose app has answered it, once. Probes, smoke tests, previews and requests that chose their group by a header are not counted.
- Workers tell what they have counted every two seconds or sooner, and once more when they end. A worker that is killed takes at most that much with it.
- A label never has what a client makes up: methods that are not known are \`_OTHER\`. Of each group the requests of its last five releases are kept.
- A metric that has no value now is left out.
- What the app counts by itself with prom-client comes with them, where [that is wanted](../how-to/own-metrics.md).

| metric | type | labels | what it says |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', String.raw`\|`)
}
