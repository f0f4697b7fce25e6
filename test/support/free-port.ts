// Ports that nobody uses, on IPv4 and IPv6. They are taken from below the range that the system itself gives to outgoing
// connections: a load client makes thousands of those, and one of them could sit on the port before the server does. Each of
// the processes that run tests side by side takes them from a part of its own, since some are bound seconds later only.
/* oxlint-disable no-await-in-loop -- the next attempt is made only when this one failed */

import net from 'node:net'

const PARTS = 4
const PART = (Number(process.env['VITEST_POOL_ID'] ?? 1) - 1) % PARTS
const PART_PORTS = 20_000 / PARTS
const LOWEST = 10_000 + PART * PART_PORTS
const HIGHEST = LOWEST + PART_PORTS
const given = new Set<number>()

/** `adjacent` ports in a row, of which the first is returned. */
export async function freePort(adjacent = 1): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const first = LOWEST + Math.floor(Math.random() * (PART_PORTS - adjacent + 1))
    const ports = Array.from({ length: adjacent }, (_, place) => first + place)
    if (ports.some((port) => given.has(port))) continue
    const free = await Promise.all(ports.map(isFree))
    if (!free.every(Boolean)) continue
    for (const port of ports) given.add(port)
    return first
  }
  throw new Error(`Cannot find ${adjacent} free ports between ${LOWEST} and ${HIGHEST}`)
}

async function isFree(port: number): Promise<boolean> {
  return (await canBind(port, '0.0.0.0')) && (await canBind(port, '::'))
}

function canBind(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer()
    server.once('error', () => resolve(false))
    server.listen({ port, host: address, exclusive: true, ipv6Only: address === '::' }, () =>
      server.close(() => resolve(true)),
    )
  })
}
