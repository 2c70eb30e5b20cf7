// Every message captured from running hashicorp/raft nodes, read and written.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { RpcHeader, RpcRequest, RpcResponse } from '@raftkit/interface'
import {
  decodeConfiguration,
  decodeEntry,
  encodeConfiguration,
  encodeEntries,
  encodeErrorResponse,
  encodeRequest,
  encodeResponse,
  RequestDecoder,
  ResponseDecoder,
} from '@raftkit/wire'
import type { DecodedResponse } from '@raftkit/wire'
import { concat, hex, unhex } from './hex.ts'

interface Vectors {
  readonly synthetic: readonly { readonly name: string; readonly hex: string }[]
}

const vectors = JSON.parse(
  readFileSync(new URL('./vectors/hashicorp-raft.json', import.meta.url), 'utf8'),
) as Vectors

function vector(name: string): string {
  const found = vectors.synthetic.find((candidate) => candidate.name === name)
  if (found === undefined) throw new Error(`no vector ${name}`)
  return found.hex
}

const tested = new Set<string>()

const sender: RpcHeader = { protocolVersion: 3, id: 'n1', address: '127.0.0.1:7001' }
const answerer: RpcHeader = { protocolVersion: 3, id: 'n2', address: '127.0.0.1:7002' }
const nobody: RpcHeader = { protocolVersion: 0, id: '', address: '' }
/** 2024-01-02T03:04:05.123Z; the vectors have 456 789 ns more, which a millisecond cannot carry. */
const APPENDED_AT = Date.UTC(2024, 0, 2, 3, 4, 5, 123)
const NANOSECONDS = { ours: '0754d4c0', captured: '075bcd15' }

/** The 'AppendEntries 1 entry' family. */
function appendEntries(prevLogIndex: number, prevLogTerm: number, data: string) {
  const entry = encodeEntries(
    prevLogIndex + 1,
    5,
    [{ type: 0, data: new TextEncoder().encode(data) }],
    APPENDED_AT,
  )
  return {
    type: 'append-entries',
    header: sender,
    term: 5,
    prevLogIndex,
    prevLogTerm,
    leaderCommit: 10,
    entries: [entry],
  } as const
}

const bareHeartbeat = {
  type: 'append-entries',
  header: sender,
  term: 5,
  prevLogIndex: 0,
  prevLogTerm: 0,
  leaderCommit: 0,
  entries: null,
} as const

const vote = {
  type: 'request-vote',
  header: sender,
  term: 5,
  lastLogIndex: 10,
  lastLogTerm: 4,
  leadershipTransfer: false,
} as const

const configuration = {
  servers: [
    { suffrage: 'voter', id: 'n1', address: '127.0.0.1:7001' },
    { suffrage: 'nonvoter', id: 'n2', address: '127.0.0.1:7002' },
  ],
} as const

const requests: Readonly<Record<string, RpcRequest | readonly RpcRequest[]>> = {
  'AppendEntries 1 entry': appendEntries(10, 4, 'hello'),
  'Heartbeat (Entries nil)': bareHeartbeat,
  'AppendEntries 0 entries, non-nil slice (as replicateTo sends)': {
    ...bareHeartbeat,
    prevLogIndex: 10,
    prevLogTerm: 4,
    leaderCommit: 10,
    entries: [],
  },
  RequestVote: vote,
  'RequestVote large ints + transfer': {
    ...vote,
    term: 70_000,
    lastLogIndex: 5_000_000_000,
    lastLogTerm: 300,
    leadershipTransfer: true,
  },
  RequestPreVote: {
    type: 'request-pre-vote',
    header: sender,
    term: 5,
    lastLogIndex: 10,
    lastLogTerm: 4,
  },
  TimeoutNow: { type: 'timeout-now', header: sender },
  'InstallSnapshot size 8': {
    type: 'install-snapshot',
    header: sender,
    snapshotVersion: 1,
    term: 5,
    lastLogIndex: 10,
    lastLogTerm: 4,
    peers: unhex('91ae'),
    configuration: encodeConfiguration(configuration),
    configurationIndex: 1,
    size: 8,
  },
  'Pipeline of two AppendEntries, 1 conn': [appendEntries(10, 5, 'x'), appendEntries(11, 5, 'x')],
}

const appended = {
  type: 'append-entries',
  header: answerer,
  term: 5,
  lastLogIndex: 11,
  success: true,
  noRetryBackoff: false,
} as const

const voted = { type: 'request-vote', header: answerer, term: 5, granted: true } as const

const responses: Readonly<Record<string, RpcResponse | readonly RpcResponse[]>> = {
  'AppendEntries 1 entry': appended,
  'Heartbeat (Entries nil)': appended,
  'AppendEntries 0 entries, non-nil slice (as replicateTo sends)': appended,
  RequestVote: voted,
  'RequestVote large ints + transfer': voted,
  RequestPreVote: { type: 'request-pre-vote', header: answerer, term: 5, granted: true },
  TimeoutNow: { type: 'timeout-now', header: nobody },
  'InstallSnapshot size 8': { type: 'install-snapshot', header: nobody, term: 5, success: true },
  'Pipeline of two AppendEntries, 1 conn': [appended, appended],
}

/** Entries are compared by what is in them: two encodings of a time differ below the millisecond. */
function comparable(request: RpcRequest): unknown {
  if (request.type !== 'append-entries' || request.entries === null) return request
  const entries = request.entries.map((batch) =>
    Array.from({ length: batch.count }, (_, i) => decodeEntry(batch, batch.firstIndex + i)),
  )
  return { ...request, entries }
}

function readRequests(bytes: Uint8Array): { requests: RpcRequest[]; snapshot: Uint8Array } {
  const decoder = new RequestDecoder()
  decoder.push(bytes)
  const read: RpcRequest[] = []
  const snapshot: Uint8Array[] = []
  for (let request = decoder.next(); request !== undefined; request = decoder.next()) {
    read.push(request)
    for (let part = decoder.takeSnapshot(); part !== undefined; part = decoder.takeSnapshot())
      snapshot.push(part)
  }
  return { requests: read, snapshot: concat(snapshot) }
}

function list<T>(value: T | readonly T[]): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]) : [value as T]
}

describe('requests of hashicorp/raft', () => {
  it.each(Object.entries(requests))('%s', (name, value) => {
    tested.add(`${name} REQUEST`)
    const bytes = vector(`${name} REQUEST`)
    const wanted = list(value)
    const read = readRequests(unhex(bytes))

    expect(read.requests.map(comparable)).toEqual(wanted.map(comparable))
    const snapshot = name.startsWith('InstallSnapshot') ? 'SNAPDATA' : ''
    expect(new TextDecoder().decode(read.snapshot)).toBe(snapshot)

    const written = hex(concat([...wanted.flatMap(encodeRequest), read.snapshot]))
    expect(written.replaceAll(NANOSECONDS.ours, NANOSECONDS.captured)).toBe(bytes)
    // What was received goes on byte for byte, nanoseconds included.
    expect(hex(concat([...read.requests.flatMap(encodeRequest), read.snapshot]))).toBe(bytes)
  })

  it.each(['AppendEntries error response, nil resp', 'AppendEntries error response with body'])(
    '%s: a request without the deprecated Leader, which raftkit always fills',
    (name) => {
      tested.add(`${name} REQUEST`)
      const bytes = vector(`${name} REQUEST`)
      expect(readRequests(unhex(bytes)).requests).toEqual([bareHeartbeat])
      const leader = hex(new TextEncoder().encode('Leader'))
      const address = hex(new TextEncoder().encode(sender.address))
      expect(hex(concat(encodeRequest(bareHeartbeat)))).toBe(
        bytes.replace(`${leader}c0`, `${leader}ae${address}`),
      )
    },
  )
})

function readResponses(bytes: Uint8Array, type: RpcResponse['type']): DecodedResponse[] {
  const decoder = new ResponseDecoder()
  decoder.push(bytes)
  const read: DecodedResponse[] = []
  for (let next = decoder.next(type); next !== undefined; next = decoder.next(type)) read.push(next)
  return read
}

describe('responses of hashicorp/raft', () => {
  it.each(Object.entries(responses))('%s', (name, value) => {
    tested.add(`${name} RESPONSE`)
    const bytes = vector(`${name} RESPONSE`)
    const wanted = list(value)
    expect(readResponses(unhex(bytes), wanted[0]!.type)).toEqual(
      wanted.map((response) => ({ response })),
    )
    expect(hex(concat(wanted.map(encodeResponse)))).toBe(bytes)
  })

  it('an error without a body', () => {
    const name = 'AppendEntries error response, nil resp RESPONSE'
    tested.add(name)
    expect(readResponses(unhex(vector(name)), 'append-entries')).toEqual([{ error: 'boom' }])
    expect(hex(encodeErrorResponse('boom'))).toBe(vector(name))
  })

  it('an error with a body, which raftkit reads past and never sends', () => {
    const name = 'AppendEntries error response with body RESPONSE'
    tested.add(name)
    expect(readResponses(unhex(vector(name) + vector(name)), 'append-entries')).toEqual([
      { error: 'boom' },
      { error: 'boom' },
    ])
    const body = { ...appended, lastLogIndex: 9, success: false }
    expect(`a4626f6f6d${hex(encodeResponse(body)).slice(2)}`).toBe(vector(name))
  })
})

describe('configurations of hashicorp/raft', () => {
  it.each([
    ['Configuration (1 voter 1 nonvoter)', configuration],
    ['Configuration empty', { servers: [] }],
  ])('%s', (name, value) => {
    tested.add(name)
    expect(decodeConfiguration(unhex(vector(name)))).toEqual(value)
    expect(hex(encodeConfiguration(value))).toBe(vector(name))
  })
})

it('covers every captured message', () => {
  expect(vectors.synthetic.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([])
})
