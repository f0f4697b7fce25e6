import { defineConfig } from 'vitest/config'

/** Promises that must hold on every supported Node: sockets, link, drain and reload, not the words of a command. */
const CORE = [
  'drain-loses-nothing',
  'flip-loses-nothing',
  'frameworks-run-unmodified',
  'handshakes-complete',
  'other-sockets-work',
  'queued-connections-survive',
  'reload-drops-no-request',
  'supervisor-dies',
  'worker-dies',
].map((name) => `test/e2e/${name}.test.ts`)

/** Shares and latencies: beside another supervisor under load they would measure the machine, not the code. */
const ALONE = ['test/e2e/fairness.test.ts']

/** What takes minutes or more, and what has a longer form of itself (SUPERVISE_SOAK=1): `npm run soak`. */
const SOAK = [
  'test/soak/**/*.test.ts',
  'test/agent/drain/http1.test.ts',
  'test/agent/route/flip.test.ts',
  ...[
    'control-under-fire',
    'crash-loop',
    'fault-matrix',
    'keeper-brings-it-back',
    'metrics-are-exact',
    'reload-drops-no-request',
  ].map((name) => `test/e2e/${name}.test.ts`),
]

/** They wait for most of their time: more of them than there are cores are under way at once. */
const e2e = { testTimeout: 90_000, hookTimeout: 30_000, maxWorkers: 3 }

const report = process.env['VITEST_JSON']

export default defineConfig({
  test: {
    reporters: report === undefined ? ['default'] : ['default', ['json', { outputFile: report }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', 'test/soak/**'],
          testTimeout: 20_000,
          // Many start processes and wait for them.
          maxWorkers: 3,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          exclude: ALONE,
          sequence: { groupOrder: 1 },
          ...e2e,
        },
      },
      { test: { name: 'e2e-alone', include: ALONE, sequence: { groupOrder: 2 }, ...e2e, maxWorkers: 1 } },
      { test: { name: 'e2e-core', include: CORE, sequence: { groupOrder: 3 }, ...e2e } },
      {
        test: { name: 'soak', include: SOAK, sequence: { groupOrder: 4 }, ...e2e, testTimeout: 900_000, maxWorkers: 1 },
      },
    ],
  },
})
