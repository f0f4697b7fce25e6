// What is loaded only when it is needed, and needs an installation that may have been replaced by then: a supervisor whose
// files are of another version would run half of each.

const AFTER_MS = 2_000

/** In a moment when nothing waits for it. */
export function loadAhead(): void {
  setTimeout(() => {
    const parts = [import('../config/schema.ts'), import('../config/locate.ts'), import('../config/module-file.ts')]
    // What is missing is told by whoever needs it.
    void Promise.allSettled(parts)
  }, AFTER_MS).unref()
}
