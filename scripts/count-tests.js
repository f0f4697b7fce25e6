// Adds up the test reports of one CI run and the steps around them: `N passed, N failed`, and the exit code.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const [directory, stepsPassed, stepsFailed] = process.argv.slice(2)
let passed = 0
let failed = 0
for (const file of readdirSync(directory)) {
  const report = JSON.parse(readFileSync(join(directory, file), 'utf8'))
  passed += report.numPassedTests
  failed += report.numFailedTests
}
// A step that failed without a failed test (lint, types, a crash of the runner) counts as one.
failed = Math.max(failed, Number(stepsFailed))
console.log(`steps: ${stepsPassed} passed, ${stepsFailed} failed`)
console.log(`${passed} passed, ${failed} failed`)
process.exitCode = failed === 0 ? 0 : 1
