// Arbitrary messages whose numbers and lengths lie around every change of form.
import fc from 'fast-check'
import { LogType } from '@raftkit/interface'
import type { Configuration, RpcHeader, RpcRequest, RpcResponse } from '@raftkit/interface'
import { encodeConfiguration, encodeEntries, encodePeers } from '@raftkit/wire'

const edges = [0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_535, 65_536, 2 ** 31, 2 ** 32 - 1]
const number = fc.oneof(fc.constantFrom(...edges, 2 ** 32, 2 ** 53 - 1), fc.maxSafeNat())
const length = fc.oneof(fc.constantFrom(0, 31, 32, 255, 256, 65_535, 65_536), fc.nat(300))
const bytes = fc.tuple(length, fc.nat(255)).map(([size, fill]) => new Uint8Array(size).fill(fill))
const text = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  length.map((size) => 'n'.repeat(Math.max(1, size))),
)
const bool = fc.boolean()

const header: fc.Arbitrary<RpcHeader> = fc.record(
  {
    protocolVersion: fc.constantFrom(2, 3),
    id: text,
    address: text,
    extensionLevel: fc.constant(1),
  },
  { requiredKeys: ['protocolVersion', 'id', 'address'] },
)

/** Names that raftkit reads: it refuses those above its limit of 16 KiB. */
const name = text.filter((long) => long.length < 16_384)

const server = fc.record({
  suffrage: fc.constantFrom('voter' as const, 'nonvoter' as const),
  id: name,
  address: name,
})
/** Configurations of up to more servers than the short form of a list holds. */
export const configurations: fc.Arbitrary<Configuration> = fc
  .array(server, { minLength: 1, maxLength: 20 })
  .map((servers) => ({ servers }))

const entries = fc.record({
  term: number,
  at: fc.option(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })),
  inputs: fc.array(
    fc.record(
      { type: fc.constantFrom(...Object.values(LogType)), data: bytes, extensions: bytes },
      { requiredKeys: ['type', 'data'] },
    ),
    { minLength: 1, maxLength: 40, size: 'max' },
  ),
})

/** Encoded entries, one at a time. */
export const entryBytes: fc.Arbitrary<Uint8Array> = fc
  .tuple(entries, number)
  .map(([{ term, inputs, at }, index]) => {
    const first = Math.max(1, index)
    return encodeEntries(first, term, inputs.slice(0, 1), at ?? undefined).bytesAt(first)
  })

const appendEntries: fc.Arbitrary<RpcRequest> = fc
  .record({
    header,
    term: number,
    prevLogIndex: number.map((index) => Math.min(index, Number.MAX_SAFE_INTEGER - 100)),
    prevLogTerm: number,
    leaderCommit: number,
    batch: fc.option(entries),
    empty: bool,
  })
  .map(({ batch, empty, ...fields }) => ({
    type: 'append-entries',
    ...fields,
    entries:
      batch === null
        ? empty
          ? []
          : null
        : [encodeEntries(fields.prevLogIndex + 1, batch.term, batch.inputs, batch.at ?? undefined)],
  }))

const log = { header, term: number, lastLogIndex: number, lastLogTerm: number }

/** Requests by the name of their Go type. */
export const requests: Readonly<Record<string, fc.Arbitrary<RpcRequest>>> = {
  AppendEntriesRequest: appendEntries,
  RequestVoteRequest: fc.record({
    type: fc.constant('request-vote' as const),
    ...log,
    leadershipTransfer: bool,
  }),
  RequestPreVoteRequest: fc.record({ type: fc.constant('request-pre-vote' as const), ...log }),
  InstallSnapshotRequest: fc.record({
    type: fc.constant('install-snapshot' as const),
    ...log,
    snapshotVersion: fc.nat(1),
    peers: configurations.map(encodePeers),
    configuration: configurations.map(encodeConfiguration),
    configurationIndex: number,
    size: number,
  }),
  TimeoutNowRequest: fc.record({ type: fc.constant('timeout-now' as const), header }),
}

const vote = { header, term: number, granted: bool }

/** Responses by the name of their Go type. */
export const responses: Readonly<Record<string, fc.Arbitrary<RpcResponse>>> = {
  AppendEntriesResponse: fc.record(
    {
      type: fc.constant('append-entries' as const),
      header,
      term: number,
      lastLogIndex: number,
      success: bool,
      noRetryBackoff: bool,
      conflict: fc.record({ term: number, firstIndex: number }),
    },
    { requiredKeys: ['type', 'header', 'term', 'lastLogIndex', 'success', 'noRetryBackoff'] },
  ),
  RequestVoteResponse: fc.record({ type: fc.constant('request-vote' as const), ...vote }),
  RequestPreVoteResponse: fc.record({ type: fc.constant('request-pre-vote' as const), ...vote }),
  InstallSnapshotResponse: fc.record({
    type: fc.constant('install-snapshot' as const),
    header,
    term: number,
    success: bool,
  }),
  TimeoutNowResponse: fc.record({ type: fc.constant('timeout-now' as const), header }),
}

function plainHeader({ protocolVersion, id, address }: RpcHeader): RpcHeader {
  return { protocolVersion, id, address }
}

/** The request as hashicorp/raft knows it: without what raftkit adds. */
export function plainRequest(request: RpcRequest): RpcRequest {
  return { ...request, header: plainHeader(request.header) }
}

/** The response as hashicorp/raft knows it. */
export function plainResponse(response: RpcResponse): RpcResponse {
  const header = plainHeader(response.header)
  if (response.type !== 'append-entries') return { ...response, header }
  const { conflict: _, ...rest } = response
  return { ...rest, header }
}
