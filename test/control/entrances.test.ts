// Lock, link, control socket and admin address of one instance, let go of and taken back in this process.

/* oxlint-disable typescript/no-unsafe-type-assertion -- what is not asked of the supervisor and its log is left out */

import { existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import http from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished, vi } from 'vitest'
import { Entrances, type Instance } from '../../src/control/entrances.ts'
import { openInstanceDirectory } from '../../src/control/instance-directory.ts'
import { takeLock } from '../../src/control/instance-lock.ts'
import { freePort } from '../support/free-port.ts'
import { until } from '../support/until.ts'
import { ask } from './raw-client.ts'
import { eventRecord, scriptSupervisor } from './scripted-supervisor.ts'

const LIMIT_MS = 5_000

async function open() {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'entrances-')))
  vi.stubEnv('XDG_STATE_HOME', join(root, 'state'))
  onTestFinished(() => {
    vi.unstubAllEnvs()
    rmSync(root, { recursive: true, force: true })
  })
  const directory = openInstanceDirectory('web', { SUPERVISE_RUNTIME_DIR: root })
  const { operations, eventFeed } = scriptSupervisor()
  const errors: unknown[] = []
  const supervisor = Object.assign(operations, {
    clock: { isStopped: false },
    internalError: (error: unknown) => errors.push(error),
    saveSoon: () => {},
  })
  const log = { events: { record: () => {} } }
  const port = await freePort()
  const admin = { address: { host: '127.0.0.1', port }, token: null, names: [] }
  const lock = await takeLock(directory)
  const entrances = new Entrances({ directory, supervisor, log } as unknown as Instance, lock, admin)
  await entrances.open()
  const isAnswered = async () => {
    const overControl = await ask(directory.controlSocket, '/v1/ping')
    const overAdmin = await fetch(`http://127.0.0.1:${port}/livez`)
    return overControl.status === 200 && overAdmin.status === 200
  }
  return { entrances, directory, port, eventFeed, errors, isAnswered }
}

/** Follows the events; what it has heard so far. */
function follow(where: { readonly socketPath: string } | { readonly port: number }) {
  const heard = { text: '', hasEnded: false }
  const request = http.get({ ...where, path: '/v1/events?follow', agent: false }, (response) => {
    response.on('data', (chunk: Buffer) => (heard.text += chunk.toString()))
    response.on('close', () => (heard.hasEnded = true))
  })
  request.on('error', () => (heard.hasEnded = true))
  return heard
}

it('Entrances.takeBack() takes back what was let go of, and whoever was in stays (S7)', async () => {
  const { entrances, directory, port, eventFeed, errors, isAnswered } = await open()
  const followers = [follow({ socketPath: directory.controlSocket }), follow({ port })]
  await until(() => eventFeed.followers === 2, LIMIT_MS, 'they follow')
  await entrances.handOver()
  await entrances.takeBack()
  entrances.takeLinkBack()
  expect([await isAnswered(), existsSync(directory.linkSocket), errors]).toEqual([true, true, []])
  await expect(takeLock(directory, 0)).rejects.toMatchObject({ code: 'INSTANCE_ALREADY_RUNS' })
  // Longer than a server that closes waits for those who are in it.
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  eventFeed.emit(eventRecord(7))
  await until(() => followers.every(({ text }) => text.includes('"seq":7')), LIMIT_MS, 'they follow on')
  await entrances.close()
  await entrances.releaseLock()
  await until(() => followers.every(({ hasEnded }) => hasEnded), LIMIT_MS, 'they are let go')
})

it('Entrances.takeBack() leaves alone what was not let go of (S7)', async () => {
  const { entrances, directory, errors, isAnswered } = await open()
  await entrances.takeBack()
  entrances.takeLinkBack()
  expect([await isAnswered(), errors]).toEqual([true, []])
  await entrances.close()
  await entrances.releaseLock()
  // There was one lock, and it is free.
  await takeLock(directory, 0).then((lock) => lock.release())
})

it('Entrances.takeLinkBack() opens the link as soon as that can be done (S7)', async () => {
  const { entrances, directory, errors } = await open()
  await entrances.handOver()
  await entrances.takeBack()
  rmSync(directory.linkSocket, { force: true })
  mkdirSync(join(directory.linkSocket, 'in the way'), { recursive: true })
  entrances.takeLinkBack()
  expect(errors.length).toBe(1)
  await until(() => existsSync(directory.linkSocket), LIMIT_MS, 'the link is there')
  await entrances.close()
  await entrances.releaseLock()
})
