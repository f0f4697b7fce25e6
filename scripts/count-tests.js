// Adds up the test reports of one CI run and the steps around them: names what failed, prints `N passed, N failed`, and sets
// the exit code. `X.again.json` is the second run, alone, of the files of `X.json` in which a test failed: a test that passed
// there counts as passed, and is named, for it depends on how busy the machine is.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { failedTests } from './failed-tests.js'

const [directory, stepsPassed, stepsFailed] = process.argv.slice(2)
let passed = 0
let failed = 0
for (const file of readdirSync(directory).filter((name) => !name.endsWith('.again.json'))) {
  const report = JSON.parse(readFileSync(join(directory, file), 'utf8'))
  const again = join(directory, file.replace('.json', '.again.json'))
  const stillFailed = existsSync(again)
    ? new Set(failedTests(JSON.parse(readFileSync(again, 'utf8'))).map(({ name }) => name))
    : undefined
  passed += report.numPassedTests
  for (const { name, path } of failedTests(report)) {
    const alone = stillFailed !== undefined && !stillFailed.has(name)
    if (alone) passed += 1
    else failed += 1
    console.log(`${alone ? 'passed alone only' : 'failed'}: ${path} > ${name} (${file.replace('.json', '')})`)
  }
}
// A step that failed without a failed test (lint, types, a crash of the runner) counts as one.
failed = Math.max(failed, Number(stepsFailed))
console.log(`steps: ${stepsPassed} passed, ${stepsFailed} failed`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
