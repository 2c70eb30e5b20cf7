// Samples of every message, with the smallest and the largest values of every field, and their comparison.

import assert from 'node:assert/strict'
import type {
  AppendEntriesRequest,
  CallType,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RpcHeader,
  RpcRequest,
  RpcResponse,
} from '@raftkit/interface'
import { sampleBytes } from '../sample-bytes.ts'
import { encodedBatch } from './encoded-entries.ts'

/** A request and an answer to it. */
export interface SampleExchange {
  readonly title: string
  readonly request: Extract<RpcRequest, { type: CallType }>
  readonly response: RpcResponse
  /** Uses what only raftkit has. */
  readonly extension?: boolean
}

const MAX = Number.MAX_SAFE_INTEGER
const bare: RpcHeader = { protocolVersion: 0, id: '', address: '' }

/** Who sends, in most samples. */
export const header: RpcHeader = { protocolVersion: 3, id: 'größer-1', address: '10.0.0.1:7000' }

/** An AppendEntries with one entry. */
export function appendEntries(term: number, dataLength = 5): AppendEntriesRequest {
  return {
    type: 'append-entries',
    header,
    term,
    prevLogIndex: term,
    prevLogTerm: 1,
    leaderCommit: 0,
    entries: [encodedBatch(term + 1, term, [sampleBytes(dataLength, term)])],
  }
}

/** The usual answer to a request; a vote is granted, an append succeeds, a payload comes back. */
export function answerTo(request: RpcRequest): RpcResponse {
  const term = 'term' in request ? request.term : 0
  switch (request.type) {
    case 'append-entries':
      return {
        type: 'append-entries',
        header,
        term,
        lastLogIndex: request.prevLogIndex,
        success: true,
        noRetryBackoff: false,
      }
    case 'request-vote':
    case 'request-pre-vote':
      return { type: request.type, header, term, granted: true }
    case 'timeout-now':
      return { type: 'timeout-now', header }
    case 'forward':
      return { type: 'forward', header, payload: request.payload }
    case 'install-snapshot':
      return { type: 'install-snapshot', header, term, success: true }
  }
}

/** An InstallSnapshot of `size` bytes. */
export function installSnapshot(size: number): InstallSnapshotRequest {
  return {
    type: 'install-snapshot',
    header,
    snapshotVersion: 1,
    term: 2 ** 33,
    lastLogIndex: 2 ** 40 + 1,
    lastLogTerm: 2 ** 32 + 5,
    peers: sampleBytes(40, 3),
    configuration: sampleBytes(300, 4),
    configurationIndex: 2 ** 39,
    size,
  }
}

/** The answer that snapshot tests use. */
export const installed: InstallSnapshotResponse = {
  type: 'install-snapshot',
  header,
  term: 2 ** 33,
  success: true,
}

/** Everything that passes as one request and one answer. */
export function sampleExchanges(): SampleExchange[] {
  return [...appendSamples(), ...voteSamples(), ...otherSamples()]
}

function appendSamples(): SampleExchange[] {
  const empty = { ...appendEntries(1), term: MAX, prevLogIndex: MAX, prevLogTerm: MAX }
  const response = { type: 'append-entries', header, term: MAX, lastLogIndex: MAX } as const
  const refused = { ...response, success: false, noRetryBackoff: true }
  const batches = [
    encodedBatch(2 ** 32 - 2, 5, [sampleBytes(3), sampleBytes(0), sampleBytes(200)]),
    encodedBatch(2 ** 32 + 1, 2 ** 33, [sampleBytes(70_000)]),
    encodedBatch(2 ** 32 + 2, 2 ** 33, [sampleBytes(1), sampleBytes(40)]),
  ]
  const filled = { ...empty, prevLogIndex: 2 ** 32 - 3, prevLogTerm: 4, entries: batches }
  return [
    {
      title: 'append-entries with entries in several batches',
      request: { ...filled, leaderCommit: MAX },
      response: { ...response, success: true, noRetryBackoff: false },
    },
    {
      title: 'append-entries without entries',
      request: { ...empty, leaderCommit: 3, entries: [] },
      response: refused,
    },
    {
      title: 'append-entries that is a bare heartbeat',
      request: {
        ...empty,
        header: bare,
        prevLogIndex: 0,
        prevLogTerm: 0,
        leaderCommit: 0,
        entries: null,
      },
      response: { ...refused, header: bare, lastLogIndex: 0 },
    },
    {
      title: 'append-entries with an extended header and a conflict',
      request: { ...filled, header: { ...header, extensionLevel: 1, diskId: 2 ** 52 } },
      response: { ...refused, conflict: { term: 2 ** 40, firstIndex: 2 ** 41 } },
      extension: true,
    },
  ]
}

function voteSamples(): SampleExchange[] {
  const fields = { header, term: MAX, lastLogIndex: 2 ** 40, lastLogTerm: 2 ** 35 } as const
  const none = { header: bare, term: 0, lastLogIndex: 0, lastLogTerm: 0 } as const
  return [
    {
      title: 'request-vote of a leadership transfer, granted',
      request: { type: 'request-vote', ...fields, leadershipTransfer: true },
      response: { type: 'request-vote', header, term: MAX, granted: true },
    },
    {
      title: 'request-vote with nothing, refused',
      request: { type: 'request-vote', ...none, leadershipTransfer: false },
      response: { type: 'request-vote', header: bare, term: 0, granted: false },
    },
  ]
}

/** The pre-vote, apart because a transport need not carry it. */
export function preVoteSample(): SampleExchange {
  const fields = { header, term: 2 ** 34, lastLogIndex: 2 ** 40, lastLogTerm: 2 ** 33 }
  return {
    title: 'request-pre-vote',
    request: { type: 'request-pre-vote', ...fields },
    response: { type: 'request-pre-vote', header, term: 2 ** 34 - 1, granted: true },
  }
}

function otherSamples(): SampleExchange[] {
  const forward = { type: 'forward', header } as const
  return [
    {
      title: 'timeout-now',
      request: { type: 'timeout-now', header },
      response: { type: 'timeout-now', header },
    },
    {
      title: 'timeout-now with its term',
      request: { type: 'timeout-now', header, term: 2 ** 40 },
      response: { type: 'timeout-now', header },
      extension: true,
    },
    {
      title: 'forward',
      request: { ...forward, payload: sampleBytes(100_000) },
      response: { ...forward, payload: sampleBytes(200_000, 2) },
      extension: true,
    },
    {
      title: 'forward without a payload',
      request: { ...forward, payload: new Uint8Array(0) },
      response: { ...forward, payload: new Uint8Array(0) },
      extension: true,
    },
  ]
}

/** Asserts that two messages say the same, however their entries are split into batches. */
export function assertSameMessage(
  actual: RpcRequest | RpcResponse | undefined,
  expected: RpcRequest | RpcResponse,
): void {
  assert.ok(actual, `a ${expected.type} must have arrived`)
  assert.deepEqual(plain(actual), plain(expected))
}

/** The message with entries and bytes as plain, comparable values. */
function plain(message: RpcRequest | RpcResponse): Record<string, unknown> {
  const fields = Object.entries(message).map(([name, value]): [string, unknown] => {
    if (value instanceof Uint8Array) return [name, textOf(value)]
    return [name, name === 'header' ? { ...value } : value]
  })
  const object: Record<string, unknown> = Object.fromEntries(fields)
  if ('entries' in message) object['entries'] = entriesOf(message)
  return object
}

function entriesOf(request: AppendEntriesRequest): unknown {
  return (
    request.entries?.flatMap((batch) =>
      Array.from({ length: batch.count }, (_, i) => {
        const index = batch.firstIndex + i
        const bytes = textOf(batch.bytesAt(index))
        return { index, term: batch.termAt(index), type: batch.typeAt(index), bytes }
      }),
    ) ?? null
  )
}

/** Short bytes in full, long ones by length and hash (FNV-1a): a failure must be readable. */
function textOf(bytes: Uint8Array): string {
  if (bytes.length <= 256)
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  let hash = 0x811c9dc5
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return `${bytes.length} bytes, hash ${hash.toString(16)}`
}
