// Addresses as people write them, `host:port`, and the rules for what a server may tell the others about itself.
import { RaftError, type ServerAddress } from '@raftkit/interface'

/** The two halves of an address. An IPv6 host is without its brackets. */
export interface HostPort {
  /** '' means every interface of this machine; only good for binding. */
  readonly host: string
  /** 0..65535; 0 asks the system for a free port. */
  readonly port: number
}

const BRACKETED = /^\[([0-9A-Fa-f:.]*(?:%[\w.-]+)?)\]:(\d{1,5})$/
const PLAIN = /^([\w.-]*):(\d{1,5})$/

/**
 * Splits `host:port`. IPv6 is written in brackets: `[::1]:7000`. Names are not looked up and nothing is
 * normalised. Throws `RAFT_INVALID_ADDRESS`.
 */
export function parseAddress(address: ServerAddress): HostPort {
  const match = BRACKETED.exec(address) ?? PLAIN.exec(address)
  const host = match?.[1]
  const port = Number(match?.[2])
  if (host === undefined || !(port <= 65_535) || (address.startsWith('[') && host === ''))
    throw new RaftError(
      'RAFT_INVALID_ADDRESS',
      `${JSON.stringify(address)} is not an address: write host:port, for example "10.0.0.1:7000", ` +
        '"node1.example:7000" or, for IPv6, "[::1]:7000"',
      { details: { address } },
    )
  return { host, port }
}

/** The reverse of {@link parseAddress}. */
export function formatAddress(host: string, port: number): ServerAddress {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

/** True for a host that means "every interface of this machine" and so says nothing to another machine. */
export function isUnspecifiedHost(host: string): boolean {
  return host === '' || /^[0.]+$/.test(host) || /^[0:]*:(ffff:)?[0:.]*$/i.test(host)
}

/** Where to listen and what to advertise. */
export interface ListenAddress extends HostPort {
  /** The address for the others, given the port that the system bound. */
  readonly advertised: (boundPort: number) => ServerAddress
}

/**
 * Checks the `bind` and `advertise` options of a stream layer, before it listens. Without `advertise` the bind
 * address is advertised, with the real port in place of port 0. Throws `RAFT_INVALID_ADDRESS` when the
 * advertised address could not be reached from another machine.
 */
export function resolveListenAddress(bind: string, advertise?: string): ListenAddress {
  const { host, port } = parseAddress(bind)
  if (advertise === undefined) {
    if (isUnspecifiedHost(host))
      refuse(
        bind,
        `others cannot reach ${JSON.stringify(bind)}: it means every interface of this machine. ` +
          'Keep it as bind and pass the address that the others shall use as advertise',
      )
    return {
      host,
      port,
      advertised: (boundPort) => (port === 0 ? formatAddress(host, boundPort) : bind),
    }
  }
  const outside = parseAddress(advertise)
  if (isUnspecifiedHost(outside.host))
    refuse(
      advertise,
      `others cannot reach the advertise address ${JSON.stringify(advertise)}: name one address or host name of this machine`,
    )
  if (outside.port === 0)
    refuse(advertise, `the advertise address ${JSON.stringify(advertise)} needs its real port`)
  if (port === 0)
    refuse(
      bind,
      `bind ${JSON.stringify(bind)} asks for any free port, but advertise names port ${outside.port}: ` +
        'give bind a fixed port, or leave advertise out to advertise the port that the system chose',
    )
  return { host, port, advertised: () => advertise }
}

function refuse(address: string, message: string): never {
  throw new RaftError('RAFT_INVALID_ADDRESS', message, { details: { address } })
}
