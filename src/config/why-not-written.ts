// Why the system would not write a file, in words that follow "since".

import { codeOf } from './failure.ts'

const WORDS: Readonly<Record<string, string>> = {
  EROFS: 'its file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  ENOENT: 'its directory is not there',
  ENOTDIR: 'part of its path is not a directory',
  EEXIST: 'part of its path is not a directory',
  EISDIR: 'it is a directory',
  EIO: 'the disk fails',
  ENXIO: 'it is a pipe that nobody reads',
  EPIPE: 'it is a pipe that nobody reads',
}

export function whyNotWritten(error: unknown): string {
  return wordsOf(codeOf(error))
}

/** Of the system's own word, such as `ENOSPC`; what is not one is its own words. */
export function wordsOf(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return `uid ${process.getuid?.() ?? 0} may not write there`
  return WORDS[code] ?? code
}
