// What a person can do about the errors that Node itself prints, where that is known.

/** The last lines of stderr as one text, the app's main module, and the Node that ran it (`v24.21.0`). */
interface Failure {
  readonly text: string
  readonly script: string
  readonly node: readonly [number, number]
  readonly nodeVersion: string
}

interface Advice {
  readonly matches: RegExp
  /** `found` is the match; null when it turns out that there is nothing to say. */
  readonly say: (found: RegExpMatchArray, failure: Failure) => string | null
}

/** One or two sentences, or null when nothing useful is known. */
export function adviceFor(stderr: readonly string[], script: string, nodeVersion: string): string | null {
  const [major = 0, minor = 0] = nodeVersion.replace(/^v/, '').split('.').map(Number)
  const failure: Failure = { text: stderr.join('\n'), script, node: [major, minor], nodeVersion }
  for (const { matches, say } of ADVICE) {
    const found = failure.text.match(matches)
    const words = found === null ? null : say(found, failure)
    if (words !== null) return words
  }
  return null
}

/** V8's ways of saying that the heap, or memory at all, is used up. */
export const OUT_OF_MEMORY = /JavaScript heap out of memory|Fatal process out of memory|OOM error in V8|process OOM/

const TSX = "`npm install tsx` and nodeArgs: ['--import', 'tsx']"

/** The first that matches is given, so the particular comes before the general. */
const ADVICE: readonly Advice[] = [
  {
    matches: /TypeScript (enum|namespace declaration|parameter property|.+?) is not supported in strip-only mode/,
    say: ([, syntax = ''], failure) => adviceOnSyntax(syntax.replace(' declaration', ''), failure),
  },
  {
    matches: /ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING/,
    say: () => 'Node does not run TypeScript below node_modules: depend on a compiled version of that package.',
  },
  {
    matches: /Unknown file extension "\.([cm]?tsx?|jsx)"/,
    say: ([, extension = ''], failure) => adviceOnExtension(extension, failure),
  },
  {
    matches: /\.([cm]?tsx|jsx):\d+\n[^\n]*\n\s*\^+\s*\n[^]*SyntaxError/,
    say: ([, extension]) => `Node does not run .${extension} files: use ${TSX}, or compile first.`,
  },
  {
    matches: /\.[cm]?ts:\d+\n[^\n]*@\w[^\n]*\n\s*\^+\s*\n[^]*SyntaxError: Invalid or unexpected token/,
    say: () => `Node strips types and does not know decorators: use ${TSX}, or compile first.`,
  },
  {
    matches: /Cannot find module '([^']+)\.js'/,
    say: (_found, { script }) =>
      /\.[cm]?ts$/.test(script)
        ? 'Node does not look for a .ts file behind a .js name: import it as .ts, or compile first.'
        : null,
  },
  {
    matches: /Cannot find (?:module|package) '([^'./][^']*)'/,
    say: ([, name]) => `Run \`npm ci\` where the app's package.json is; when "${name}" is not in there, install it.`,
  },
  {
    matches: /Cannot find module '([./][^']*)'/,
    say: ([, path]) => `Look whether "${path}" is part of the release, built, and spelt the same (letter case too).`,
  },
  {
    matches: /listen EADDRINUSE: address already in use (\S*?):?(\d+)?\s*$/m,
    say: ([, address, port]) =>
      port === undefined
        ? `Another process listens on ${address}: stop it, or choose another path.`
        : `\`ss -ltnp 'sport = :${port}'\` names the process that has the port: stop it, or choose another port.`,
  },
  {
    matches: /listen EACCES: permission denied \S*?:(\d+)/,
    say: ([, port]) =>
      Number(port) < 1024
        ? `Ports below 1024 are for root: choose another one, or give the supervisor CAP_NET_BIND_SERVICE.`
        : null,
  },
  {
    matches: /ERR_REQUIRE_ASYNC_MODULE/,
    say: () => 'A module with a top-level await cannot be required: load it with `await import()`.',
  },
  {
    matches: /ERR_REQUIRE_ESM/,
    say: () => 'That file is an ES module: load it with `await import()`, or make the file that requires it one too.',
  },
  {
    matches: /ReferenceError: (require|module|exports|__dirname|__filename) is not defined in ES module scope/,
    say: ([, name]) =>
      `The file is an ES module, where "${name}" does not exist: rename it to .cjs, or use import and export.`,
  },
  {
    matches: /SyntaxError: Cannot use import statement outside a module/,
    say: () => 'Rename the file to .mjs, or put "type": "module" into its package.json.',
  },
  {
    matches: /NODE_MODULE_VERSION (\d+)[^]*NODE_MODULE_VERSION (\d+)/,
    say: (_found, { nodeVersion }) => `Run \`npm rebuild\` with the Node that runs the app (${nodeVersion}).`,
  },
  {
    matches: /bad option: (\S+)/,
    say: ([, option], { nodeVersion }) => `Node ${nodeVersion} does not know ${option}: take it out of nodeArgs.`,
  },
  {
    matches: OUT_OF_MEMORY,
    say: () =>
      "Find the leak, or give it more with nodeArgs: ['--max-old-space-size=<MiB>']; maxMemory replaces a worker before it comes to this.",
  },
  {
    matches: /unsettled top-level await/,
    say: () => 'Something that is awaited at top level never ends, and nothing else keeps the process alive.',
  },
]

function adviceOnSyntax(syntax: string, { node: [major], nodeVersion }: Failure): string {
  const flag = major >= 22 && major < 26 ? "nodeArgs: ['--experimental-transform-types'], or " : ''
  return `Node ${nodeVersion} strips types and cannot transform a TypeScript ${syntax}: use ${flag}${TSX}, or write it without.`
}

function adviceOnExtension(extension: string, { node: [major, minor], nodeVersion }: Failure): string {
  if (extension.endsWith('x')) return `Node does not run .${extension} files: use ${TSX}, or compile first.`
  const isOld = major < 22 || (major === 22 && minor < 18) || (major === 23 && minor < 6)
  if (isOld) return `Node ${nodeVersion} does not run TypeScript; 22.18 and later do. Or use ${TSX}.`
  return `Node ${nodeVersion} runs .${extension} files unless told not to: look for --no-strip-types or --no-experimental-strip-types in nodeArgs and NODE_OPTIONS, or use ${TSX}.`
}
