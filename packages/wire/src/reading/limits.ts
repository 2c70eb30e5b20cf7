import { RaftError } from '@raftkit/interface'

/** How much a decoder accepts. Everything that arrives is held to these before memory is set aside for it. */
export interface WireLimits {
  /** Bytes of one AppendEntries request or one forwarded request or response. Default 64 MiB. */
  readonly maxMessageBytes: number
  /** Bytes of any other request or response; snapshot bytes do not count. Default 1 MiB. */
  readonly maxControlBytes: number
  /** Bytes that may wait in a decoder, not yet taken; at least `maxMessageBytes`. Default 128 MiB. */
  readonly maxBufferedBytes: number
  /** Entries of one AppendEntries request. Default 65 536. */
  readonly maxEntriesPerRequest: number
  /** Encoded bytes of one entry. Default 32 MiB. */
  readonly maxEntryBytes: number
  /** Bytes of the snapshot that follows an InstallSnapshot request. Default 1 TiB. */
  readonly maxSnapshotBytes: number
  /** Servers of one configuration. Default 1024. */
  readonly maxServers: number
  /** Bytes of an id, an address, an error text or an unknown map key. Default 16 KiB. */
  readonly maxStringBytes: number
  /** Maps and arrays inside each other, the message itself included; at least 3. Default 32. */
  readonly maxDepth: number
}

const MiB = 2 ** 20

/** The limits of a decoder that was given none. */
export const DEFAULT_WIRE_LIMITS: WireLimits = Object.freeze({
  maxMessageBytes: 64 * MiB,
  maxControlBytes: MiB,
  maxBufferedBytes: 128 * MiB,
  maxEntriesPerRequest: 65_536,
  maxEntryBytes: 32 * MiB,
  maxSnapshotBytes: 2 ** 40,
  maxServers: 1024,
  maxStringBytes: 16 * 1024,
  maxDepth: 32,
})

/**
 * For bytes from this server's own store: it must be able to read back whatever a decoder once took, even when that
 * decoder's limits were higher.
 */
export const NO_LIMITS: WireLimits = Object.freeze({
  maxMessageBytes: Number.MAX_SAFE_INTEGER,
  maxControlBytes: Number.MAX_SAFE_INTEGER,
  maxBufferedBytes: Number.MAX_SAFE_INTEGER,
  maxEntriesPerRequest: Number.MAX_SAFE_INTEGER,
  maxEntryBytes: Number.MAX_SAFE_INTEGER,
  maxSnapshotBytes: Number.MAX_SAFE_INTEGER,
  maxServers: Number.MAX_SAFE_INTEGER,
  maxStringBytes: Number.MAX_SAFE_INTEGER,
  maxDepth: Number.MAX_SAFE_INTEGER,
})

/** A message, its list of entries and an entry: what our own messages need. */
const MIN_DEPTH = 3

/** The given limits, the others by default. Throws `RAFT_INVALID_ARGUMENT` when one makes no sense. */
export function resolveWireLimits(limits: Partial<WireLimits> = {}): WireLimits {
  const resolved: WireLimits = { ...DEFAULT_WIRE_LIMITS, ...limits }
  for (const [name, value] of Object.entries(resolved))
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalid(`the wire limit ${name} must be a whole number of at least 1, not ${value}`)
  if (resolved.maxBufferedBytes < resolved.maxMessageBytes)
    throw invalid('the wire limit maxBufferedBytes must not be below maxMessageBytes')
  if (resolved.maxDepth < MIN_DEPTH)
    throw invalid(`the wire limit maxDepth must be at least ${MIN_DEPTH}`)
  return resolved
}

function invalid(message: string): RaftError {
  return new RaftError('RAFT_INVALID_ARGUMENT', message)
}
