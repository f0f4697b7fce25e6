import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { renderConfigSchema } from '../../scripts/config-schema.ts'
import { PAGES, stalePages } from '../../scripts/generate-docs.ts'
import { readOptionDocs } from '../../scripts/option-docs.ts'
import { OPTION_KEYS } from '../../src/config/options.ts'

describe('generate-docs', () => {
  it('would write every generated page as it is: else run `node scripts/generate-docs.ts`', () => {
    expect(stalePages().map(({ path }) => path)).toEqual([])
  })

  it('writes a section for every option', () => {
    const page = readFileSync(new URL(`../../${PAGES[0]?.path}`, import.meta.url), 'utf8')
    expect(new Set([...page.matchAll(/^### `(.*)`$/gm)].map(([, key]) => key))).toEqual(new Set(OPTION_KEYS))
  })
})

describe('config-schema', () => {
  it('knows and describes every option, and nothing else', () => {
    const text = JSON.stringify(renderConfigSchema())
    for (const { key, text: description } of readOptionDocs()) {
      if (key === 'apps:apps' || key.endsWith('$schema')) continue
      expect(text).toContain(JSON.stringify(description))
    }
    expect(text).not.toContain('"description":""')
    expect(text).toContain('"enum":["always","on-failure","never"]')
  })
})
