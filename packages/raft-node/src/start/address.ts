/** A `host:port` in its two halves; an IPv6 host without its brackets. */
export interface HostPort {
  readonly host: string
  readonly port: number
}

/** Reads `host:port` (`[host]:port` for IPv6), port 0..65535. Undefined when it is not one. */
export function parseHostPort(text: string): HostPort | undefined {
  const match = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^\s:/[\]]+)):(\d{1,5})$/.exec(text)
  if (match === null) return undefined
  const port = Number(match[3])
  const host = match[1] ?? match[2]
  return host === undefined || port > 65535 ? undefined : { host, port }
}

/** Why other nodes could not reach this address, or undefined when they might. */
export function addressProblem(address: unknown): string | undefined {
  const parsed = typeof address === 'string' ? parseHostPort(address) : undefined
  if (parsed === undefined) return 'is not host:port, for example "10.0.0.1:7000"'
  if (parsed.port === 0) return 'has port 0; other nodes need the real one'
  if (['0.0.0.0', '::', '0:0:0:0:0:0:0:0'].includes(parsed.host))
    return 'names every interface; give the one that other nodes reach, and this one as bind'
  return undefined
}
