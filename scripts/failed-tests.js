// What failed in a report of Vitest. As a command: the files with a failed test, a line each; exit code 1 when the report tells
// of none, for then the run failed for another reason.
import { existsSync, readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { pathToFileURL } from 'node:url'

export function failedTests(report) {
  return report.testResults.flatMap(({ name: file, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName }) => ({ name: fullName, path: relative(process.cwd(), file) })),
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [file] = process.argv.slice(2)
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { testResults: [] }
  // A file that could not be loaded has no tests to run again.
  const isWhole = report.testResults.every(
    ({ status, assertionResults }) => status === 'passed' || assertionResults.length > 0,
  )
  const files = new Set(isWhole ? failedTests(report).map(({ path }) => path) : [])
  if (files.size === 0) process.exitCode = 1
  else console.log([...files].join('\n'))
}
