// Reads what the options mean from the comments in src/config/app-options.ts and its parts, so that it is
// written once.

import { readFileSync } from 'node:fs'

export interface OptionDoc {
  /** The option's key, `backoff.max` for one inside of another. */
  readonly key: string
  readonly type: string
  readonly text: string
  /** As written after `@default`; null when the option must be given or has options of its own. */
  readonly byDefault: string | null
}

const INTERFACES: Readonly<Record<string, string>> = {
  AppOptions: '',
  DeployOptions: '',
  AlertOptions: '',
  LivenessOptions: 'liveness.',
  BackoffOptions: 'backoff.',
  HookOptions: 'hooks.',
  LogOptions: 'log.',
  MetricsOptions: 'metrics.',
  TracingOptions: 'tracing.',
  WatchOptions: 'watch.',
  AppsConfig: 'apps:',
}

/** Every documented member of the interfaces that make up a config file, in the order of the source. */
export function readOptionDocs(): readonly OptionDoc[] {
  const source = ['app-options', 'deploy-options', 'alert-options', 'log-options', 'metrics-options', 'tracing-options']
    .map((name) => readFileSync(new URL(`../src/config/${name}.ts`, import.meta.url), 'utf8'))
    .join('\n')
  return Object.entries(INTERFACES).flatMap(([name, prefix]) => {
    const body =
      new RegExp(`export interface ${name}(?: extends [\\w, ]+)? \\{\\n([^]*?)\\n\\}`).exec(source)?.[1] ?? ''
    return [...body.matchAll(/\/\*\*([^]*?)\*\/\n\s+'?(\$?[\w-]+)'?\??: (.*)/g)].map(
      ([, comment = '', key = '', type = '']) => {
        const words = comment.replaceAll(/^\s*\*? ?/gm, '').trim()
        const [text = '', byDefault] = words.split('@default ')
        return {
          key: prefix + key,
          type,
          text: unwrap(text),
          byDefault: byDefault === undefined ? null : unwrap(byDefault),
        }
      },
    )
  })
}

function unwrap(text: string): string {
  return text.trim().replaceAll(/\s*\n\s*/g, ' ')
}
