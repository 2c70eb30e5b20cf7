import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntryBatch, LogType } from '@raftkit/interface'
import { decodeEntry, encodedEntrySize, encodeEntries, scanEntries } from '@raftkit/wire'
import type { EntryInput } from '@raftkit/wire'
import { hex, unhex } from '../hex.ts'

const type = fc.constantFrom(...Object.values(LogType))
const payload = fc.uint8Array({ maxLength: 300 })
const input: fc.Arbitrary<EntryInput> = fc.oneof(
  fc.record({ type, data: payload }),
  fc.record({ type, data: payload, extensions: payload }),
)
const number = fc.oneof(
  fc.nat(300),
  fc.integer({ min: 65_530, max: 65_540 }),
  fc.integer({ min: 2 ** 32 - 50, max: 2 ** 32 + 50 }),
  fc.maxSafeNat().map((value) => Math.min(value, Number.MAX_SAFE_INTEGER - 100)),
)
const time = fc.option(fc.integer({ min: -(10 ** 14), max: 10 ** 14 }), { nil: undefined })

describe('encodeEntries', () => {
  it('writes what decodeEntry reads and scanEntries finds', () => {
    const inputs = fc.array(input, { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(number, number, inputs, time, (before, term, entries, appendedAt) => {
        const firstIndex = before + 1
        const batch = encodeEntries(firstIndex, term, entries, appendedAt)
        expect(batch.bytes.length).toBe(batch.byteLength)
        entries.forEach((entry, i) => {
          expect(decodeEntry(batch, firstIndex + i)).toEqual({
            index: firstIndex + i,
            term,
            ...entry,
            ...(appendedAt === undefined ? {} : { appendedAt }),
          })
          expect(batch.byteLengthAt(firstIndex + i)).toBeLessThanOrEqual(
            encodedEntrySize(entry.data.length, entry.extensions?.length),
          )
        })
        expect(scanEntries(batch.bytes, entries.length)).toEqual(batch)
      }),
    )
  })

  it('writes the terms and indexes around every change of width as they are', () => {
    for (const value of [127, 128, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1])
      expect(decodeEntry(encodeEntries(value, value, [command('')]), value)).toMatchObject({
        index: value,
        term: value,
      })
  })

  it.each([0, 31, 32, 255, 256, 65_535, 65_536, 70_000])('writes %d bytes of data', (size) => {
    const data = Uint8Array.from({ length: size }, (_, i) => i % 251)
    const batch = encodeEntries(1, 1, [{ type: LogType.command, data, extensions: data }])
    const entry = decodeEntry(scanEntries(batch.bytes), 1)
    expect(hex(entry.data)).toBe(hex(data))
    expect(hex(entry.extensions!)).toBe(hex(data))
  })

  it.each([
    ['command', LogType.command, 'a0'],
    ['noop', LogType.noop, 'c0'],
    ['barrier', LogType.barrier, 'c0'],
  ])('writes the empty data of a %s as Go does', (_, kind, data) => {
    const batch = encodeEntries(1, 1, [{ type: kind, data: new Uint8Array(0) }])
    expect(hex(batch.bytes)).toContain(`a444617461${data}aa457874`)
    expect(decodeEntry(batch, 1).data).toEqual(new Uint8Array(0))
  })

  it('tells no extensions from empty ones', () => {
    const none = encodeEntries(1, 1, [command('x')])
    const empty = encodeEntries(1, 1, [{ ...command('x'), extensions: new Uint8Array(0) }])
    expect(hex(none.bytes)).toContain(hex(ascii('Extensions')) + 'c0')
    expect(hex(empty.bytes)).toContain(hex(ascii('Extensions')) + 'a0')
    expect(decodeEntry(none, 1)).not.toHaveProperty('extensions')
    expect(decodeEntry(empty, 1).extensions).toEqual(new Uint8Array(0))
  })

  it.each<readonly [string, () => unknown]>([
    ['no entries', () => encodeEntries(1, 1, [])],
    ['index 0', () => encodeEntries(0, 1, [command('x')])],
    ['a fractional index', () => encodeEntries(1.5, 1, [command('x')])],
    [
      'a last index beyond 2^53 - 1',
      () => encodeEntries(Number.MAX_SAFE_INTEGER, 1, [command('x'), command('y')]),
    ],
    ['a negative term', () => encodeEntries(1, -1, [command('x')])],
    ['a term beyond 2^53 - 1', () => encodeEntries(1, 2 ** 53, [command('x')])],
    ['a time that is no number', () => encodeEntries(1, 1, [command('x')], Number.NaN)],
    ['an unknown type', () => encodeEntries(1, 1, [{ ...command('x'), type: 7 as LogType }])],
  ])('refuses %s', (_, encode) => {
    expect(encode).toThrow(expect.objectContaining({ code: 'RAFT_INVALID_ARGUMENT' }))
  })
})

describe('decodeEntry', () => {
  const batch = encodeEntries(5, 2, [command('a'), command('b')])

  it('gives views of the batch', () => {
    expect(decodeEntry(batch, 6).data.buffer).toBe(batch.bytes.buffer)
  })

  it('refuses an index outside the batch', () => {
    expect(() => decodeEntry(batch, 7)).toThrow(RangeError)
  })

  it('refuses a batch whose table does not fit its bytes', () => {
    const { bytes, offsets, terms, types } = encodeEntries(6, 2, [command('a'), command('b')])
    const wrong = new EntryBatch(5, bytes, offsets, terms, types)
    expect(() => decodeEntry(wrong, 5)).toThrow(/held as index 5, term 2 says it has index 6/)
  })

  it('reads any form that a scan accepted', () => {
    const entry = `86${key('Type')}00${key('Zzz')}8101c3${key('Term')}d002${key('Index')}cc05${key('Data')}c40168${key('Data')}d90169`
    expect(decodeEntry(scanEntries(unhex(entry)), 5)).toEqual({
      index: 5,
      term: 2,
      type: 0,
      data: ascii('i'),
    })
  })
})

describe('encodedEntrySize', () => {
  it('is an upper bound, close to the size of the largest entry', () => {
    const data = new Uint8Array(70_000)
    const largest = encodeEntries(
      2 ** 53 - 1,
      2 ** 53 - 1,
      [{ type: 0, data, extensions: data }],
      1,
    )
    expect(encodedEntrySize(data.length, data.length)).toBe(largest.byteLength)
  })
})

function command(text: string): EntryInput {
  return { type: LogType.command, data: ascii(text) }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function key(name: string): string {
  return (0xa0 + name.length).toString(16) + hex(ascii(name))
}
