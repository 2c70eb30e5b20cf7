// meta.json: the description of a finished snapshot, byte for byte as hashicorp/raft writes it.
import {
  isSafeNumber,
  messageOf,
  type Configuration,
  type Server,
  type SnapshotMeta,
  type Suffrage,
} from '@raftkit/interface'
import { encodePeers } from '@raftkit/wire'
import { corrupt } from './disk-failure.ts'

/** Name of the file that describes the snapshot. */
export const META_FILE = 'meta.json'

/** The only snapshot version that is written or read: hashicorp/raft's 1. */
export const SNAPSHOT_VERSION = 1

/** Bytes of a CRC-64. */
const CHECKSUM_BYTES = 8

/** What meta.json says. */
export interface StoredMeta {
  readonly meta: SnapshotMeta
  /** CRC-64 of state.bin, 8 bytes, big-endian. */
  readonly checksum: Uint8Array
}

/** Order is what hashicorp/raft called `ServerSuffrage`: never renumber. */
const SUFFRAGES: readonly Suffrage[] = ['voter', 'nonvoter', 'staging']

/** The bytes of meta.json. Key order and escapes are those of Go's encoding/json, which skips `Raftkit…`. */
export function encodeMeta({ meta, checksum }: StoredMeta): Uint8Array {
  const { servers, next } = meta.configuration
  const text = JSON.stringify({
    Version: meta.version,
    ID: meta.id,
    Index: meta.index,
    Term: meta.term,
    Peers: Buffer.from(encodePeers(meta.configuration)).toString('base64'),
    Configuration: {
      Servers: storedServers(servers),
      ...(next === undefined ? {} : { RaftkitNext: storedServers(next) }),
    },
    ConfigurationIndex: meta.configurationIndex,
    Size: meta.size,
    CRC: Buffer.from(checksum).toString('base64'),
  })
  return new TextEncoder().encode(`${escapeAsGo(text)}\n`)
}

function storedServers(servers: readonly Server[]): readonly object[] | null {
  if (servers.length === 0) return null
  return servers.map((server) => ({
    Suffrage: SUFFRAGES.indexOf(server.suffrage),
    ID: server.id,
    Address: server.address,
    ...(server.diskId === undefined ? {} : { RaftkitDisk: server.diskId }),
  }))
}

/** Go escapes these wherever they stand in a string, so that JSON can be put into HTML and JavaScript. */
function escapeAsGo(json: string): string {
  return json.replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/**
 * Reads meta.json of the snapshot `id`, found at `path`. Throws `RAFT_SNAPSHOT_CORRUPT` when it is not the
 * description of that snapshot: every field is checked.
 */
export function decodeMeta(bytes: Uint8Array, id: string, path: string): StoredMeta {
  const fields = new Fields(parse(bytes, path), path)
  const version = fields.number('Version')
  if (version !== SNAPSHOT_VERSION)
    throw corrupt(path, `its version is ${version}, and only ${SNAPSHOT_VERSION} is read`)
  if (fields.text('ID') !== id) throw corrupt(path, `it says that it is ${fields.text('ID')}`)
  const meta: SnapshotMeta = {
    id,
    version,
    index: fields.number('Index'),
    term: fields.number('Term'),
    configuration: readConfiguration(fields.object('Configuration'), path),
    configurationIndex: fields.number('ConfigurationIndex'),
    size: fields.number('Size'),
  }
  // meta.json has no checksum. A snapshot of another index would have commands applied twice, or not at all.
  if (!id.startsWith(`${meta.term}-${meta.index}-`))
    throw corrupt(path, `it says that it is of term ${meta.term} and index ${meta.index}`)
  const checksum = Buffer.from(fields.text('CRC'), 'base64')
  if (checksum.byteLength !== CHECKSUM_BYTES)
    throw corrupt(path, `CRC is not ${CHECKSUM_BYTES} bytes in base64`)
  return { meta, checksum: new Uint8Array(checksum) }
}

function parse(bytes: Uint8Array, path: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw corrupt(path, `meta.json is not JSON (${messageOf(error)})`, error)
  }
}

function readConfiguration(fields: Fields, path: string): Configuration {
  const servers = readServers(fields, 'Servers', path)
  if (fields.get('RaftkitNext') === undefined) return { servers }
  return { servers, next: readServers(fields, 'RaftkitNext', path) }
}

function readServers(fields: Fields, name: string, path: string): readonly Server[] {
  const servers = fields.get(name)
  if (servers === null) return []
  if (!Array.isArray(servers)) throw corrupt(path, `${name} is not a list`)
  return servers.map((server: unknown) => readServer(new Fields(server, path), path))
}

function readServer(fields: Fields, path: string): Server {
  const suffrage = SUFFRAGES[fields.number('Suffrage')]
  if (suffrage === undefined) throw corrupt(path, 'Suffrage is not 0, 1 or 2')
  const server = { suffrage, id: fields.text('ID'), address: fields.text('Address') }
  if (fields.get('RaftkitDisk') === undefined) return server
  return { ...server, diskId: fields.number('RaftkitDisk') }
}

/** The fields of a parsed object, read with their types checked. */
class Fields {
  readonly #object: object
  readonly #path: string

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw corrupt(path, 'meta.json holds something else where an object should be')
    this.#object = value
    this.#path = path
  }

  get(name: string): unknown {
    return Object.getOwnPropertyDescriptor(this.#object, name)?.value
  }

  number(name: string): number {
    const value = this.get(name)
    if (!isSafeNumber(value)) throw corrupt(this.#path, `${name} is not an integer below 2^53`)
    return value
  }

  text(name: string): string {
    const value = this.get(name)
    if (typeof value !== 'string') throw corrupt(this.#path, `${name} is not text`)
    return value
  }

  object(name: string): Fields {
    return new Fields(this.get(name), this.#path)
  }
}
