// Parser of the option `tracing.otlp`.

import { accept, refuse, refuseValue, type Parser } from './parser.ts'

export const otlpUrl: Parser<string> = {
  json: { type: 'string', pattern: '^https?://' },
  format: String,
  parse(input) {
    const allowed = 'the URL of an OTLP collector, such as "http://localhost:4318"'
    if (typeof input !== 'string') return refuseValue(input, allowed)
    const text = input.trim()
    if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return refuseValue(input, allowed, meant(text))
    const { username, password, hash } = new URL(text)
    // It is shown to people, as every option is.
    if (username !== '' || password !== '')
      return refuse('has a password in it; write it into the variable OTEL_EXPORTER_OTLP_HEADERS instead')
    return hash === '' ? accept(text) : refuseValue(input, allowed)
  },
}

function meant(text: string): string | null {
  return /^[\w.-]+:\d+(?:\/\S*)?$/.test(text) ? `http://${text}` : null
}
