// "Did you mean": the nearest of several words, and the names that other process managers have for ours.

/** The word nearest to `text`, or null when none is near. */
export function nearest(text: string, words: Iterable<string>): string | null {
  let best: string | null = null
  let bestDistance = Math.max(1, Math.floor(text.length / 3)) + 1
  for (const word of words) {
    const distance = editDistance(text.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [word, distance]
  }
  return best
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let twoAgo: number[] = []
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = at(previous, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      let least = Math.min(replaced, at(previous, j) + 1, at(row, j - 1) + 1)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, at(twoAgo, j - 2) + 1)
      row.push(least)
    }
    ;[twoAgo, previous] = [previous, row]
  }
  return at(previous, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}

/** Options of PM2 and systemd, and what does their work here. */
export const FOREIGN_NAMES: Readonly<Record<string, string>> = {
  instances: 'write "workers"',
  exec_mode: 'leave it out, every app is a cluster here',
  max_memory_restart: 'write "maxMemory"',
  kill_timeout: 'write "drainTimeout" for open requests and "killTimeout" for the end after them',
  listen_timeout: 'write "readyTimeout"',
  wait_ready: 'write "ready": "message"',
  node_args: 'write "nodeArgs"',
  interpreter: 'write "node" for another Node binary',
  exec_interpreter: 'write "node" for another Node binary',
  interpreter_args: 'write "nodeArgs"',
  ignore_watch: 'write "watch": { "ignore": … }',
  watch_delay: 'write "watch": { "quiet": … }',
  autorestart: 'write "restart": "never" for what false was',
  stop_exit_codes: 'write "restart": "on-failure"',
  min_uptime: 'write "minUptime"',
  max_restarts: 'write "maxRestarts"',
  restart_delay: 'write "backoff": { "first": … }',
  exp_backoff_restart_delay: 'write "backoff": { "first": … }',
  env_file: 'write "envFile"',
  environment: 'write "env"',
  log_file: 'write "log": { "file": … }',
  out_file: 'write "log": { "file": … }, which has stdout and stderr',
  error_file: 'write "log": { "file": … }, which has stdout and stderr',
  combine_logs: 'leave it out, all workers of an app share its log',
  merge_logs: 'leave it out, all workers of an app share its log',
  log_date_format: 'leave it out, every line has its time',
  log_type: 'leave it out, or start with --log-format json',
  logLevel: 'write "log": { "level": … }',
  command: 'write "script"',
  main: 'write "script"',
  timeout: 'write "readyTimeout", "drainTimeout" or "killTimeout"',
  shutdown_with_message: 'leave it out, workers drain without the help of the app',
}
