import { describe, expect, it } from 'vitest'
import { whyRefused, type AdminPolicy, type AdminRequest } from '../../src/control/admin-guard.ts'

const local: AdminPolicy = { token: null, isLoopback: true, names: ['web1'] }
const TOKEN = 'correct-horse-battery'

function refusal(request: Partial<AdminRequest> & { readonly headers?: AdminRequest['headers'] }, policy = local) {
  const { method = 'GET', path = '/metrics', headers = {} } = request
  return whyRefused({ method, path, headers: { host: '127.0.0.1:9615', ...headers } }, policy)?.code ?? null
}

describe('whyRefused()', () => {
  it.each(['127.0.0.1:9615', 'localhost', 'LOCALHOST:9615', '[::1]:9615', '10.0.0.7:9615', 'web1:9615'])(
    'answers requests for %s',
    (host) => expect(refusal({ headers: { host } })).toBeNull(),
  )

  it.each(['evil.example:9615', 'localhost.evil.example', '', '127.0.0.1.nip.io', '[evil]:9615'])(
    'refuses requests for "%s", whatever they ask for: a name can be made to point here',
    (host) => expect(refusal({ headers: { host } })).toBe('FOREIGN_HOST'),
  )

  it('refuses pages of others, and answers its own', () => {
    expect(refusal({ headers: { origin: 'https://evil.example' } })).toBe('FOREIGN_ORIGIN')
    expect(refusal({ headers: { origin: 'null' } })).toBe('FOREIGN_ORIGIN')
    // An image or a fetch without CORS has no origin.
    expect(refusal({ headers: { 'sec-fetch-site': 'cross-site' } })).toBe('FOREIGN_ORIGIN')
    expect(refusal({ headers: { 'sec-fetch-site': 'same-site' } })).toBe('FOREIGN_ORIGIN')
    expect(refusal({ headers: { 'sec-fetch-site': 'none' } })).toBeNull()
    expect(refusal({ headers: { 'sec-fetch-site': 'same-origin' } })).toBeNull()
    expect(refusal({ headers: { origin: 'http://127.0.0.1:9615' } })).toBeNull()
  })

  it('lets nobody change anything without a token, and says so', () => {
    const wish = { method: 'POST', path: '/v1/apps/web/reload' }
    expect(refusal(wish)).toBe('ADMIN_READ_ONLY')
    expect(refusal(wish, { ...local, token: TOKEN })).toBe('TOKEN_NEEDED')
    expect(refusal({ ...wish, headers: { authorization: 'Bearer wrong' } }, { ...local, token: TOKEN })).toBe(
      'TOKEN_WRONG',
    )
    expect(refusal({ ...wish, headers: { authorization: `Bearer ${TOKEN}` } }, { ...local, token: TOKEN })).toBeNull()
    expect(refusal({ ...wish, headers: { authorization: `Basic ${TOKEN}` } }, { ...local, token: TOKEN })).toBe(
      'TOKEN_WRONG',
    )
  })

  it('shows what is on the machine to the machine alone: from outside all but metrics and probes needs the token', () => {
    const open: AdminPolicy = { ...local, isLoopback: false, token: TOKEN }
    expect(refusal({ path: '/v1/status' })).toBeNull()
    expect(refusal({ path: '/v1/status' }, open)).toBe('TOKEN_NEEDED')
    for (const path of ['/metrics', '/livez', '/readyz', '/startupz']) expect(refusal({ path }, open)).toBeNull()
    expect(refusal({ path: '/v1/status', headers: { authorization: `bearer ${TOKEN}` } }, open)).toBeNull()
  })

  it('answers the probes of a kubelet, which names the address of the pod and has no token', () => {
    const pod: AdminPolicy = { token: null, isLoopback: false, names: ['app-7c9d-x2'] }
    for (const host of ['10.244.1.17:9615', '[fd00::11]:9615', '10.244.1.17'])
      expect(refusal({ path: '/readyz', headers: { host, 'user-agent': 'kube-probe/1.34' } }, pod)).toBeNull()
  })
})
