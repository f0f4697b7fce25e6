// Where a listener is reached from this host.

/**
 * One on every address of IPv6 serves IPv4 as well, unless it was told not to, and does so also where IPv6 is off, as in a
 * container's network: `::1` cannot be reached there. `null` for `isOnlyIPv6` is not known: it is reached at one of several.
 */
export function localHosts(address: string | null, isOnlyIPv6: boolean | null = false): readonly [string, ...string[]] {
  if (address === '0.0.0.0') return ['127.0.0.1']
  if (address !== null && address !== '::') return [address]
  if (isOnlyIPv6 === null) return ['127.0.0.1', '::1']
  return isOnlyIPv6 ? ['::1'] : ['127.0.0.1']
}
