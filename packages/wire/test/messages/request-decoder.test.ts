import { afterEach, describe, expect, it, vi } from 'vitest'
import type { RpcRequest } from '@raftkit/interface'
import { encodeEntries, encodeRequest, RequestDecoder } from '@raftkit/wire'
import type { WireLimits } from '@raftkit/wire'
import { ByteQueue } from '../../src/reading/byte-queue.ts'
import { ValueScanner } from '../../src/reading/value-scanner.ts'
import { concat, hex, unhex } from '../hex.ts'
import { header, receiveRequests } from '../messages.ts'

const vote = {
  type: 'request-vote',
  header,
  term: 5,
  lastLogIndex: 10,
  lastLogTerm: 4,
  leadershipTransfer: false,
} as const

function appendEntries(count: number, size: number): RpcRequest {
  const inputs = Array.from({ length: count }, () => ({
    type: 0 as const,
    data: new Uint8Array(size),
  }))
  const entries = [encodeEntries(1, 5, inputs)]
  const fields = { term: 5, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, entries }
  return { type: 'append-entries', header, ...fields }
}

function bytesOf(...requests: readonly RpcRequest[]): Uint8Array {
  return concat(requests.flatMap(encodeRequest))
}

function key(name: string): string {
  return (0xa0 + name.length).toString(16) + hex(new TextEncoder().encode(name))
}

const snapshot = {
  type: 'install-snapshot',
  header,
  snapshotVersion: 1,
  term: 5,
  lastLogIndex: 10,
  lastLogTerm: 4,
  peers: new Uint8Array(0),
  configuration: new Uint8Array(0),
  configurationIndex: 1,
  size: 5000,
} as const

describe('RequestDecoder', () => {
  it('takes the bytes of a snapshot from between two requests', () => {
    const decoder = new RequestDecoder()
    const state = Uint8Array.from({ length: 5000 }, (_, i) => i % 251)
    decoder.push(concat([bytesOf(snapshot), state.subarray(0, 10)]))
    expect(decoder.next()).toEqual(snapshot)
    expect(decoder.snapshotRemaining).toBe(5000)
    expect(decoder.next()).toBeUndefined()
    const first = decoder.takeSnapshot()
    expect(first).toEqual(state.subarray(0, 10))
    expect(decoder.snapshotRemaining).toBe(4990)
    expect(decoder.takeSnapshot()).toBeUndefined()
    expect(decoder.next()).toBeUndefined()

    const rest = concat([state.subarray(10), bytesOf(vote)])
    decoder.push(rest)
    const second = decoder.takeSnapshot()!
    expect(hex(second)).toBe(hex(state.subarray(10)))
    expect(second.buffer).toBe(rest.buffer)
    expect(decoder.snapshotRemaining).toBe(0)
    expect(decoder.takeSnapshot()).toBeUndefined()
    expect(decoder.next()).toEqual(vote)
  })

  it('goes straight on after a snapshot of no bytes', () => {
    const { received } = receiveRequests([bytesOf({ ...snapshot, size: 0 }, vote)])
    expect(received.map(({ request }) => request.type)).toEqual([
      'install-snapshot',
      'request-vote',
    ])
  })

  it('is dead after an error: every call throws the same one', () => {
    const decoder = new RequestDecoder()
    decoder.push(unhex('7f'))
    decoder.push(bytesOf(vote))
    const errors = [
      () => decoder.next(),
      () => decoder.takeSnapshot(),
      () => decoder.push(bytesOf(vote)),
    ].map(thrownBy)
    expect(errors[0]).toMatchObject({
      code: 'RAFT_DECODE_FAILED',
      message: expect.stringContaining('0x7f is no RPC type') as unknown,
    })
    expect(new Set(errors).size).toBe(1)
  })

  it('has the forward request under a byte of its own', () => {
    const forward = { type: 'forward', header, payload: unhex('0102') } as const
    const bytes = bytesOf(forward)
    expect(bytes[0]).toBe(0x80)
    expect(receiveRequests([bytes]).received).toEqual([{ request: forward, snapshot: [] }])
  })

  it.each<readonly [string, string]>([
    ['a request that is a string', '01a161'],
    ['a request that is a number', '0105'],
    ['a size below 0', `0281${key('Size')}ff`],
    ['a size beyond 2^53 - 1', `0281${key('Size')}cf0020000000000000`],
    ['a term beyond 2^53 - 1', `0181${key('Term')}cfffffffffffffffff`],
    ['an address that is not UTF-8', `0181${key('Addr')}a2c328`],
    ['entries that are a map', `0081${key('Entries')}80`],
    ['an entry that is nil', `0081${key('Entries')}91c0`],
    ['entries that do not follow the previous one', gap()],
  ])('refuses %s', (_, bytes) => {
    expect(receiveRequests([unhex(bytes)]).error).toMatchObject({ code: 'RAFT_DECODE_FAILED' })
  })

  it('passes over keys that would be dangerous on an object', () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty']
    const map = keys.map((name) => `${key(name)}81${key('Term')}07`).join('')
    const { received } = receiveRequests([unhex(`0185${map}${key('Term')}05`)])
    expect(received[0]?.request).toMatchObject({ type: 'request-vote', term: 5 })
    expect(({} as { Term?: unknown }).Term).toBeUndefined()
    expect(Object.getPrototypeOf(received[0]?.request)).toBe(Object.prototype)
  })
})

describe('memory', () => {
  it('keeps entries that make up most of a chunk where they are', () => {
    const chunk = bytesOf(appendEntries(10, 200))
    expect(entriesOf([chunk]).buffer).toBe(chunk.buffer)
  })

  it('copies entries that would keep a chunk much larger than themselves alive', () => {
    const chunk = new Uint8Array(64 * 1024)
    const bytes = bytesOf(appendEntries(1, 200))
    chunk.set(bytes)
    const entries = entriesOf([chunk.subarray(0, bytes.length)])
    expect(entries.buffer).not.toBe(chunk.buffer)
    expect(entries.buffer.byteLength).toBe(entries.byteLength)
  })

  it('copies them out of a Buffer too, whose own slice() would not', () => {
    const bytes = bytesOf(appendEntries(1, 200))
    const chunk = Buffer.alloc(64 * 1024)
    chunk.set(bytes)
    const entries = entriesOf([chunk.subarray(0, bytes.length)])
    expect(entries.buffer).not.toBe(chunk.buffer)
    expect(entries.constructor).toBe(Uint8Array)
  })

  it('joins a message that came in pieces into one buffer of its size', () => {
    const bytes = bytesOf(appendEntries(100, 200))
    const entries = entriesOf([bytes.slice(0, 5000), bytes.slice(5000, 9000), bytes.slice(9000)])
    expect(entries.buffer.byteLength).toBe(bytes.length - 1)
  })
})

describe('work', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it.each([1, 7, 1000, 1_000_000])('is done once per byte when pieces have %d bytes', (size) => {
    const feed = vi.spyOn(ValueScanner.prototype, 'feed')
    const take = vi.spyOn(ByteQueue.prototype, 'take')
    const deep = `01 81 ${key('Zzz')} dc0400 ${`93a161${'91'.repeat(8)}05c0`.repeat(1024)}`
    const bytes = concat([bytesOf(appendEntries(50, 300)), unhex(deep), bytesOf(vote)])
    const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
      bytes.slice(i * size, (i + 1) * size),
    )
    expect(receiveRequests(pieces).received).toHaveLength(3)

    // The second message's value is scanned a second time when it is passed over as unknown.
    const scanned = feed.mock.results.map(({ value }, i) => {
      const [, from, to] = feed.mock.calls[i]!
      return ((value as number) < 0 ? to : (value as number)) - from
    })
    const total = scanned.reduce((sum, one) => sum + one, 0)
    expect(total).toBeLessThan(2 * bytes.length)
    expect(feed.mock.calls.length).toBeLessThan(2 * pieces.length + 10)
    const taken = take.mock.calls.reduce((sum, [length]) => sum + length, 0)
    expect(taken).toBe(bytes.length)
  })
})

describe('limits', () => {
  const entries = appendEntries(3, 100)
  const size = bytesOf(entries).length - 1
  const entrySize = encodeEntries(1, 5, [{ type: 0, data: new Uint8Array(100) }]).byteLength

  it.each<readonly [keyof WireLimits, number, RpcRequest]>([
    ['maxMessageBytes', size, entries],
    ['maxEntriesPerRequest', 3, entries],
    ['maxEntryBytes', entrySize, entries],
    ['maxControlBytes', bytesOf(vote).length - 1, vote],
    ['maxSnapshotBytes', 5000, snapshot],
    ['maxStringBytes', header.address.length, vote],
    ['maxBufferedBytes', bytesOf(entries).length, entries],
  ])('%s lets %d pass and nothing more', (limit, allowed, request) => {
    // What is buffered is one byte more than the message: its type.
    const fitting = limit === 'maxBufferedBytes' ? { maxMessageBytes: size } : {}
    const receive = (value: number) =>
      receiveRequests([bytesOf(request)], { ...fitting, [limit]: value }).error
    expect(receive(allowed)).toBeUndefined()
    expect(receive(allowed - 1)).toMatchObject({
      code: 'RAFT_LIMIT_EXCEEDED',
      details: { limit, allowed: allowed - 1 },
    })
  })

  it('maxDepth holds for what is passed over', () => {
    const bytes = unhex(`0181${key('Zzz')}${'91'.repeat(4)}05`)
    expect(receiveRequests([bytes], { maxDepth: 5 }).error).toBeUndefined()
    expect(receiveRequests([bytes], { maxDepth: 4 }).error).toMatchObject({
      code: 'RAFT_LIMIT_EXCEEDED',
      details: { limit: 'maxDepth' },
    })
  })

  it('refuses what was only announced, while it is a few bytes', () => {
    for (const announcement of ['00dfffffffff', '01c6ffffffff', '80ddffffffff', '02db00200000'])
      expect(receiveRequests([unhex(announcement)]).error).toMatchObject({
        code: 'RAFT_LIMIT_EXCEEDED',
      })
  })

  it('announced counts of entries are not believed', () => {
    const bytes = unhex(`0081${key('Entries')}dd00ffffff`)
    expect(receiveRequests([bytes]).error).toBeUndefined()
    expect(receiveRequests([bytes], { maxMessageBytes: 2 ** 20 }).error).toMatchObject({
      details: { limit: 'maxMessageBytes' },
    })
  })
})

function entriesOf(pieces: readonly Uint8Array[]): Uint8Array {
  const request = receiveRequests(pieces).received[0]?.request
  if (request?.type !== 'append-entries') throw new Error('no AppendEntries came')
  return request.entries![0]!.bytes
}

/** A request whose entries start at 3 after the previous index 1. */
function gap(): string {
  const entry = hex(encodeEntries(3, 1, [{ type: 0, data: new Uint8Array(0) }]).bytes)
  return `0082${key('Entries')}91${entry}${key('PrevLogEntry')}01`
}

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
