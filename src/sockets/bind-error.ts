// Says in words why an address could not be bound.

import { getSystemErrorName } from 'node:util'

import {
  addressNotAvailable,
  listenFailed,
  outOfDescriptors,
  portInUse,
  portNotPermitted,
  socketPathInUse,
  socketPathNotUsable,
} from '../errors/sockets.ts'
import { type SuperviseError } from '../errors.ts'
import type { ListenRequest } from '../protocol/messages.ts'
import { findPortOwner } from './port-owner.ts'
import { UV } from './server-handle.ts'
import { isAbstract, MAX_PATH_BYTES } from './unix-name.ts'

/** `errno` is the negative one that binding or listening gave. */
export function describeBindFailure(request: ListenRequest, errno: number): SuperviseError {
  const code = codeOf(errno)
  const words = wordsOf(request)
  if (errno === UV.noDescriptors) return outOfDescriptors(words)
  if (request.addressType === -1) return describePathFailure(request.address ?? '', words, errno, code)
  if (errno === UV.inUse) return portInUse(words, findPortOwner(request.address, request.port))
  if (errno === UV.notPermitted) return portNotPermitted(words, request.port)
  if (errno === UV.notAvailable) return addressNotAvailable(words)
  return listenFailed(words, code)
}

function describePathFailure(path: string, words: string, errno: number, code: string): SuperviseError {
  if (errno === UV.inUse) return socketPathInUse(words, isAbstract(path))
  const bytes = Buffer.byteLength(path)
  if (bytes > MAX_PATH_BYTES) {
    return socketPathNotUsable(words, `it has ${bytes} bytes, and the system allows ${MAX_PATH_BYTES}`)
  }
  // libuv says EACCES for a directory that does not exist, too.
  if (errno === UV.notPermitted) {
    return socketPathNotUsable(words, 'its directory does not exist, or this user may not write to it')
  }
  return listenFailed(words, code)
}

function wordsOf(request: ListenRequest): string {
  if (request.addressType === -1) return (request.address ?? '').replace('\0', '@')
  const address = request.address ?? '*'
  return address.includes(':') ? `[${address}]:${request.port}` : `${address}:${request.port}`
}

function codeOf(errno: number): string {
  try {
    return getSystemErrorName(errno)
  } catch {
    return String(errno)
  }
}
