// Reads metrics as Prometheus does, which drops what stands twice in a scrape.

export interface MetricLine {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export function parseMetrics(text: string): readonly MetricLine[] {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  const series = new Set<string>()
  for (const line of lines) {
    const name = line.slice(0, line.lastIndexOf(' '))
    if (series.has(name)) throw new Error(`This series is there twice: ${name}`)
    series.add(name)
  }
  return lines.map((line) => {
    const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? []
    if (name === '') throw new Error(`This is no line of a metric: ${line}`)
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text_ = '']) => [key, text_])
    return { name, labels: Object.fromEntries(pairs), value: Number(value.replace('Inf', 'Infinity')) }
  })
}

/** Of all lines of that name with these labels. */
export function sumOf(lines: readonly MetricLine[], name: string, labels: MetricLine['labels'] = {}): number {
  const matching = lines.filter(
    (line) => line.name === name && Object.entries(labels).every(([key, value]) => line.labels[key] === value),
  )
  return matching.reduce((sum, { value }) => sum + value, 0)
}
