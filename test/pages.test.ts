// What the pages for people tell them to type exists: commands, options, configurations, files.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completeProgram } from '../scripts/cli-page.ts'
import { parseDataVersions } from '../src/core/data-versions.ts'
import { run } from './cli/command.ts'
import { ROOT } from './support/releases.ts'

const program = await completeProgram()
const PAGES = ['README.md', ...filesIn('docs/how-to'), ...filesIn('docs/explanation'), ...filesIn('examples')]

function filesIn(directory: string): string[] {
  const names = readdirSync(join(ROOT, directory), { recursive: true, encoding: 'utf8' })
  return names
    .filter((name) => name.endsWith('.md') && !name.includes('node_modules'))
    .map((name) => join(directory, name))
}

function read(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

interface Block {
  readonly language: string
  readonly text: string
}

function blocksOf(page: string): Block[] {
  return [...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, language = '', text = '']) => ({
    language,
    text,
  }))
}

/** `supervise …` in blocks and between backticks. */
function typedIn(page: string): string[] {
  const inBlocks = blocksOf(page).flatMap(({ language, text }) => {
    const start = language === 'sh' ? /^(?:npx )?(?=supervise )/ : /^\$ (?=supervise )/
    return text.split('\n').flatMap((line) => line.split('&&').flatMap((part) => afterStart(part.trim(), start)))
  })
  const outside = read(page).replaceAll(/^```[\s\S]*?^```$/gm, '')
  const inline = [...outside.matchAll(/`(?:npx )?(supervise [^`]*)`/g)].map(([, text = '']) => text)
  return [...inBlocks, ...inline]
}

function afterStart(line: string, start: RegExp): string[] {
  return start.test(line) ? [line.replace(start, '').replace(/ #.*$/, '')] : []
}

/** What commander would not know of it. */
function unknownIn(typed: string): string[] {
  // Brackets of a synopsis, and what only the app or a shell sees.
  const [, name = '', ...words] = typed
    .replace(/ -- .*$/, '')
    .replaceAll(/[[\]]|\\\|\w+/g, ' ')
    .split(/\s+/)
  if (!/^[a-z]/.test(name)) return []
  const command = program.commands.find((one) => one.name() === name || one.aliases().includes(name))
  if (command === undefined) return [name]
  return words.filter((word) => /^--?[a-z]/i.test(word) && !knows(command, word.replace(/=.*$/, '')))
}

function knows(command: Command, flag: string): boolean {
  if (['-h', '--help', '-V'].includes(flag)) return true
  return [...command.options, ...program.options].some(({ short, long }) => flag === short || flag === long)
}

describe.each(PAGES)('%s', (page) => {
  it('names commands and options that exist', () => {
    expect(typedIn(page).flatMap((typed) => unknownIn(typed).map((word) => `${word} in: ${typed}`))).toEqual([])
  })

  it('links to files that are there', () => {
    const links = [...read(page).matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)].map(([, link = '']) => link)
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(page), link)))).toEqual([])
  })
})

describe('the configurations in docs/how-to', () => {
  let directory: string
  beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'pages-'))))
  afterEach(() => rmSync(directory, { recursive: true, force: true }))

  const pages = filesIn('docs/how-to').map((page) => ({ page, blocks: blocksOf(page) }))
  const configs = pages.flatMap(({ page, blocks }) =>
    blocks.filter(({ text }) => text.startsWith('// supervise.config.js\n')).map(({ text }) => ({ page, text })),
  )

  it.each(configs.map(({ page, text }, index) => [`${page} ${index + 1}`, text]))(
    '%s is valid',
    async (_name, text) => {
      const [, script = ''] = /script: '(.*?)'/.exec(text) ?? []
      mkdirSync(join(directory, dirname(script)), { recursive: true })
      writeFileSync(join(directory, script), '')
      writeFileSync(join(directory, 'supervise.config.js'), text.replace('export default', 'module.exports ='))
      const environment = { GROUP_SECRET: 'correct-horse' }
      const { code, stderr } = await run(['check'], { cwd: directory, environment })
      expect(code, stderr).toBe(0)
    },
  )

  it('and the release files are valid, too', () => {
    const blocks = pages.find(({ page }) => page.endsWith('change-a-schema.md'))?.blocks ?? []
    const files = blocks.filter(({ language }) => language === 'json')
    expect(files.map(({ text }) => parseDataVersions(JSON.parse(text)).kind)).toEqual(['versions'])
    expect(configs.length).toBeGreaterThan(4)
  })
})
