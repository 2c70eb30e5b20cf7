// Arbitrary messages, and ways to take them apart again, for tests.
import fc from 'fast-check'
import { LogType } from '@raftkit/interface'
import type { EntryBatch, RpcHeader, RpcRequest, RpcResponse } from '@raftkit/interface'
import { decodeEntry, encodeEntries, RequestDecoder, ResponseDecoder } from '@raftkit/wire'
import type { DecodedResponse, WireLimits } from '@raftkit/wire'

export const header: RpcHeader = { protocolVersion: 3, id: 'n1', address: '127.0.0.1:7001' }

const count = fc.oneof(
  fc.nat(300),
  fc.nat(2 ** 31 - 1).map((n) => n + 2 ** 31),
  fc.maxSafeNat(),
)
const text = fc.string({ unit: 'grapheme', maxLength: 40 })
const bytes = fc.uint8Array({ maxLength: 60 })
const bool = fc.boolean()

const anyHeader: fc.Arbitrary<RpcHeader> = fc.record(
  { protocolVersion: fc.nat(3), id: text, address: text, extensionLevel: fc.nat(9), diskId: count },
  { requiredKeys: ['protocolVersion', 'id', 'address'] },
)

/** Batches that follow each other and start after `prev`. */
function batches(prev: number, sizes: readonly number[], data: Uint8Array): EntryBatch[] {
  let next = prev + 1
  return sizes.map((size, i) => {
    const entries = Array.from({ length: size }, () => ({ type: LogType.command, data }))
    const batch = encodeEntries(next, 5 + i, entries, 1_700_000_000_000 + i)
    next += size
    return batch
  })
}

const appendEntries = fc
  .record({
    header: anyHeader,
    term: count,
    prevLogIndex: fc.maxSafeNat().map((index) => Math.min(index, Number.MAX_SAFE_INTEGER - 200)),
    prevLogTerm: count,
    leaderCommit: count,
    sizes: fc.option(fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 4 })),
    data: bytes,
  })
  .map(({ sizes, data, ...fields }) => ({
    type: 'append-entries' as const,
    ...fields,
    entries: sizes === null ? null : batches(fields.prevLogIndex, sizes, data),
  }))

export const request: fc.Arbitrary<RpcRequest> = fc.oneof(
  appendEntries,
  fc.record({
    type: fc.constant('request-vote' as const),
    header: anyHeader,
    term: count,
    lastLogIndex: count,
    lastLogTerm: count,
    leadershipTransfer: bool,
  }),
  fc.record({
    type: fc.constant('request-pre-vote' as const),
    header: anyHeader,
    term: count,
    lastLogIndex: count,
    lastLogTerm: count,
  }),
  fc.record({
    type: fc.constant('install-snapshot' as const),
    header: anyHeader,
    snapshotVersion: fc.nat(1),
    term: count,
    lastLogIndex: count,
    lastLogTerm: count,
    peers: bytes,
    configuration: bytes,
    configurationIndex: count,
    size: fc.nat(100),
  }),
  fc.record(
    {
      type: fc.constant('timeout-now' as const),
      header: anyHeader,
      term: count.filter((term) => term > 0),
    },
    { requiredKeys: ['type', 'header'] },
  ),
  fc.record({ type: fc.constant('forward' as const), header: anyHeader, payload: bytes }),
)

export const response: fc.Arbitrary<RpcResponse> = fc.oneof(
  fc.record(
    {
      type: fc.constant('append-entries' as const),
      header: anyHeader,
      term: count,
      lastLogIndex: count,
      success: bool,
      noRetryBackoff: bool,
      conflict: fc.record({ term: count, firstIndex: count }),
    },
    { requiredKeys: ['type', 'header', 'term', 'lastLogIndex', 'success', 'noRetryBackoff'] },
  ),
  fc.record({
    type: fc.constantFrom('request-vote' as const, 'request-pre-vote' as const),
    header: anyHeader,
    term: count,
    granted: bool,
  }),
  fc.record({
    type: fc.constant('install-snapshot' as const),
    header: anyHeader,
    term: count,
    success: bool,
  }),
  fc.record({ type: fc.constant('timeout-now' as const), header: anyHeader }),
  fc.record({ type: fc.constant('forward' as const), header: anyHeader, payload: bytes }),
)

/** A message in which entries are what is in them, however they were cut into batches. */
export function comparable(message: RpcRequest): unknown {
  if (message.type !== 'append-entries' || message.entries === null) return message
  const entries = message.entries.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, i) => decodeEntry(batch, batch.firstIndex + i)),
  )
  return { ...message, entries }
}

/** The bytes cut at the given places, taken modulo their length; some pieces may be empty. */
export function split(whole: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((cut) => cut % (whole.length + 1)), whole.length]
  places.sort((a, b) => a - b)
  return places.map((place, i) => whole.slice(places[i - 1] ?? 0, place))
}

export interface ReceivedRequest {
  readonly request: RpcRequest
  readonly snapshot: number[]
}

/** What a server makes of the pieces of a connection, and the error that ended it. */
export function receiveRequests(
  pieces: Iterable<Uint8Array>,
  limits?: Partial<WireLimits>,
): { readonly received: ReceivedRequest[]; readonly error: unknown } {
  const decoder = new RequestDecoder(limits)
  const received: ReceivedRequest[] = []
  try {
    for (const piece of pieces) {
      decoder.push(piece)
      for (;;) {
        const part = decoder.takeSnapshot()
        if (part !== undefined) {
          received.at(-1)!.snapshot.push(...part)
          continue
        }
        const next = decoder.next()
        if (next === undefined) break
        received.push({ request: next, snapshot: [] })
      }
    }
  } catch (error) {
    return { received, error }
  }
  return { received, error: undefined }
}

/** What a client makes of the pieces of a connection on which it awaits answers of these types. */
export function receiveResponses(
  pieces: Iterable<Uint8Array>,
  types: readonly RpcResponse['type'][],
  limits?: Partial<WireLimits>,
): { readonly received: DecodedResponse[]; readonly error: unknown } {
  const decoder = new ResponseDecoder(limits)
  const received: DecodedResponse[] = []
  try {
    for (const piece of pieces) {
      decoder.push(piece)
      for (let type = types[received.length]; type !== undefined; type = types[received.length]) {
        const next = decoder.next(type)
        if (next === undefined) break
        received.push(next)
      }
    }
  } catch (error) {
    return { received, error }
  }
  return { received, error: undefined }
}
