// Bytes of an attacker: whatever comes, decoders end with a request or a RaftError, and set no memory aside for it.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RaftError } from '@raftkit/interface'
import {
  decodeConfiguration,
  decodeEntry,
  encodeRequest,
  encodeResponse,
  scanEntries,
} from '@raftkit/wire'
import { concat } from './hex.ts'
import { receiveRequests, receiveResponses, request, response, split } from './messages.ts'

const limits = {
  maxMessageBytes: 4096,
  maxControlBytes: 1024,
  maxBufferedBytes: 8192,
  maxEntriesPerRequest: 16,
  maxEntryBytes: 1024,
  maxSnapshotBytes: 1024,
  maxStringBytes: 256,
  maxDepth: 8,
}
const runs = { numRuns: 2000 }
const cuts = fc.array(fc.nat(), { maxLength: 5 })

/** Bytes that look like MessagePack: headers and field names of the protocol among the noise. */
const noise = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 8 }),
      fc
        .constantFrom(0x81, 0x86, 0x89, 0x93, 0xdc, 0xdd, 0xde, 0xdf, 0xc9)
        .map((lead) => Uint8Array.of(lead)),
      fc
        .constantFrom('Term', 'Entries', 'Addr', 'Index', 'Data', 'AppendedAt', 'Size', 'Payload')
        .map((name) => concat([Uint8Array.of(0xa0 + name.length), new TextEncoder().encode(name)])),
      fc.constantFrom(0xff, 0x7f).map((byte) => Uint8Array.of(0xdb, byte, 0xff, 0xff, 0xff)),
    ),
    { maxLength: 30 },
  )
  .map(concat)

/** A message in which some bytes were changed. */
function damaged(whole: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const change = fc.tuple(fc.nat(), fc.nat(255))
  return fc
    .tuple(whole, fc.array(change, { minLength: 1, maxLength: 3 }))
    .map(([bytes, changes]) => {
      const copy = bytes.slice()
      for (const [place, value] of changes) copy[place % copy.length] = value
      return copy
    })
}

const verdicts = ['fine', 'RAFT_DECODE_FAILED', 'RAFT_LIMIT_EXCEEDED']

function verdict(error: unknown): string {
  if (error === undefined) return 'fine'
  if (RaftError.is(error)) return error.cause === undefined ? error.code : 'an error inside'
  throw new Error('not a RaftError', { cause: error })
}

/** The length of the largest typed array made meanwhile. */
function largestAllocation(run: () => void): number {
  let largest = 0
  const original = globalThis.Uint8Array
  globalThis.Uint8Array = new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      if (typeof args[0] === 'number') largest = Math.max(largest, args[0])
      return Reflect.construct(target, args, newTarget) as object
    },
  })
  try {
    run()
  } finally {
    globalThis.Uint8Array = original
  }
  return largest
}

describe('RequestDecoder', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.constantFrom(0, 1, 2, 3, 4, 0x80), noise)
      .map(([type, rest]) => concat([Uint8Array.of(type), rest])),
    damaged(request.map((sent) => concat(encodeRequest(sent)))),
  )

  it('throws nothing but RaftError', () => {
    fc.assert(
      fc.property(bytes, cuts, (attack, places) => {
        expect(verdicts).toContain(verdict(receiveRequests(split(attack, places), limits).error))
      }),
      runs,
    )
  })

  it('comes to the same result however the attack is split', () => {
    fc.assert(
      fc.property(bytes, cuts, (attack, places) => {
        const whole = receiveRequests([attack], limits)
        const pieces = receiveRequests(split(attack, places), limits)
        expect(pieces.received).toEqual(whole.received)
        expect(verdict(pieces.error)).toBe(verdict(whole.error))
      }),
      runs,
    )
  })

  it('sets no more memory aside than has come', () => {
    fc.assert(
      fc.property(bytes, cuts, (attack, places) => {
        const pieces = split(attack, places)
        // A block for small chunks is 16 KiB.
        const allowed = Math.max(attack.length, 16 * 1024)
        expect(largestAllocation(() => receiveRequests(pieces, limits))).toBeLessThanOrEqual(
          allowed,
        )
      }),
      runs,
    )
  })
})

describe('ResponseDecoder', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    noise.map((rest) => concat([Uint8Array.of(0xa0), rest])),
    damaged(response.map(encodeResponse)),
  )
  const type = fc.constantFrom('append-entries', 'request-vote', 'install-snapshot', 'forward')

  it('throws nothing but RaftError', () => {
    fc.assert(
      fc.property(bytes, cuts, fc.array(type), (attack, places, types) => {
        const { error } = receiveResponses(split(attack, places), types, limits)
        expect(verdicts).toContain(verdict(error))
      }),
      runs,
    )
  })
})

describe('scanEntries, decodeEntry and decodeConfiguration', () => {
  /** Decodes what can be scanned; the number of entries. */
  function decodeAll(attack: Uint8Array): number {
    const batch = scanEntries(attack)
    for (let i = 0; i < batch.count; i++)
      try {
        decodeEntry(batch, batch.firstIndex + i)
      } catch (error) {
        throw new Error('scanned, but cannot be decoded', { cause: error })
      }
    return batch.count
  }

  it('throw nothing but RaftError, and whatever was scanned can be decoded', () => {
    const entries = request.map((sent) =>
      sent.type === 'append-entries' && sent.entries !== null && sent.entries.length > 0
        ? concat(sent.entries.map((batch) => batch.view))
        : Uint8Array.of(0x80),
    )
    let decoded = 0
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), noise, damaged(entries)), (attack) => {
        expect(verdicts).toContain(verdict(thrownBy(() => decodeConfiguration(attack))))
        expect(verdicts).toContain(verdict(thrownBy(() => (decoded += decodeAll(attack)))))
      }),
      runs,
    )
    expect(decoded).toBeGreaterThan(100)
  })
})

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}
