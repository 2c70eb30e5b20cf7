import type { Configuration, DiskId, Server, Suffrage } from '@raftkit/interface'
import { decodeFailed, limitExceeded } from './reading/decode-error.ts'
import { resolveWireLimits } from './reading/limits.ts'
import type { WireLimits } from './reading/limits.ts'
import { Pack } from './format/pack.ts'
import { Unpack } from './reading/unpack.ts'

/** Suffrages by hashicorp/raft's numbers. */
const SUFFRAGES: readonly Suffrage[] = ['voter', 'nonvoter', 'staging']

/**
 * The configuration as hashicorp/raft's EncodeConfiguration writes it: the data of a configuration entry. That of a joint
 * one has a key more, `RaftkitNext`, and is for raftkit only: others would skip it and see the first half.
 */
export function encodeConfiguration({ servers, next }: Configuration): Uint8Array {
  const pack = new Pack().map(next === undefined ? 1 : 2)
  if (next !== undefined) packServers(pack.key('RaftkitNext'), next)
  packServers(pack.key('Servers'), servers)
  return pack.take()
}

function packServers(pack: Pack, servers: readonly Server[]): void {
  if (servers.length === 0) {
    pack.nil()
    return
  }
  pack.array(servers.length)
  for (const { address, id, suffrage, diskId } of servers) {
    pack
      .map(diskId === undefined ? 3 : 4)
      .key('Address')
      .text(address)
      .key('ID')
      .text(id)
    if (diskId !== undefined) pack.key('RaftkitDisk').uint(diskId, 'diskId')
    pack.key('Suffrage').int(SUFFRAGES.indexOf(suffrage), 'suffrage')
  }
}

/**
 * Reads what `encodeConfiguration` or hashicorp/raft wrote. Throws `RAFT_DECODE_FAILED` for other bytes and
 * `RAFT_LIMIT_EXCEEDED` for more than `maxServers` in a half. Whether the configuration makes sense is not checked.
 */
export function decodeConfiguration(
  bytes: Uint8Array,
  limits?: Partial<Pick<WireLimits, 'maxServers' | 'maxStringBytes'>>,
): Configuration {
  const unpack = new Unpack(bytes, resolveWireLimits(limits))
  const configuration = readConfiguration(unpack)
  if (!unpack.ended) throw decodeFailed('bytes follow the configuration')
  return configuration
}

/** The legacy list of peers: the addresses of the voters. */
export function encodePeers(configuration: Configuration): Uint8Array {
  const voters = configuration.servers.filter((server) => server.suffrage === 'voter')
  const pack = new Pack()
  if (voters.length === 0) return pack.nil().take()
  pack.array(voters.length)
  for (const { address } of voters) pack.text(address)
  return pack.take()
}

function readConfiguration(unpack: Unpack): Configuration {
  let servers: Server[] = []
  let next: Server[] | undefined
  if (unpack.nil()) return { servers }
  const { form, size } = unpack.struct('a configuration')
  for (let i = 0; i < size; i++) {
    const name = form === 'map' ? unpack.key() : CONFIGURATION_DECLARED[i]
    if (name === 'Servers') servers = readServers(unpack, name)
    else if (name === 'RaftkitNext') next = readServers(unpack, name)
    else unpack.skip()
  }
  return next === undefined ? { servers } : { servers, next }
}

function readServers(unpack: Unpack, name: string): Server[] {
  if (unpack.nil()) return []
  const count = unpack.array(name)
  if (count > unpack.limits.maxServers)
    throw limitExceeded('maxServers', unpack.limits.maxServers, count)
  const servers: Server[] = []
  for (let i = 0; i < count; i++) servers.push(readServer(unpack))
  return servers
}

function readServer(unpack: Unpack): Server {
  let suffrage = 0
  let id = ''
  let address = ''
  let diskId: DiskId | undefined
  const { form, size } = unpack.struct('a server')
  for (let i = 0; i < size; i++) {
    const name = form === 'map' ? unpack.key() : SERVER_DECLARED[i]
    if (name === 'Suffrage') suffrage = unpack.uint('Suffrage')
    else if (name === 'ID') id = unpack.text('ID')
    else if (name === 'Address') address = unpack.text('Address')
    else if (name === 'RaftkitDisk') diskId = unpack.uint('RaftkitDisk')
    else unpack.skip()
  }
  const word = SUFFRAGES[suffrage]
  if (word === undefined) throw decodeFailed(`server ${id} has the unknown suffrage ${suffrage}`)
  const server = { suffrage: word, id, address }
  return diskId === undefined ? server : { ...server, diskId }
}

/** Go's declaration orders, for the array form. */
const CONFIGURATION_DECLARED: readonly string[] = ['Servers']
const SERVER_DECLARED: readonly string[] = ['Suffrage', 'ID', 'Address']
