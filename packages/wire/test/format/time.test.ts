// Go's times, compared with what go-msgpack wrote.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decodeEntry, encodeEntries } from '@raftkit/wire'
import { DEFAULT_WIRE_LIMITS } from '../../src/reading/limits.ts'
import { Unpack } from '../../src/reading/unpack.ts'
import { hex, unhex } from '../hex.ts'

const { primitive_encodings: lines } = JSON.parse(
  readFileSync(new URL('../vectors/hashicorp-raft.json', import.meta.url), 'utf8'),
) as { primitive_encodings: readonly string[] }

/** `2024-01-02T03:04:05Z old: af01… new: a465937d25` */
const captured = lines
  .map((line) => /^(\S+) old: (\S+) new: (\S+)$/.exec(line))
  .filter((match) => match !== null)
  .map(([, date, old, renewed]) => ({ date: date!, old: old!, renewed: renewed! }))

const ZERO = '0001-01-01T00:00:00Z'

/** The text leaves out that the zone +01:01 was one of 1 h, 1 min and 1 s. */
function millis(date: string): number | undefined {
  if (date === ZERO) return undefined
  const text = date.replace(/(\.\d{3})\d+/, '$1')
  return Date.parse(text) - (text.endsWith('+01:01') ? 1000 : 0)
}

function read(bytes: string): number | undefined {
  const unpack = new Unpack(unhex(bytes), DEFAULT_WIRE_LIMITS)
  const time = unpack.time('AppendedAt')
  expect(unpack.ended).toBe(true)
  return time
}

/** The 16 bytes that follow the key AppendedAt. */
function write(ms: number | undefined): string {
  const batch = encodeEntries(1, 1, [{ type: 0, data: new Uint8Array(0) }], ms)
  expect(decodeEntry(batch, 1).appendedAt).toBe(ms === undefined ? undefined : Math.floor(ms))
  return hex(batch.bytes.subarray(12, 28))
}

describe('times that go-msgpack wrote', () => {
  it('are all here', () => {
    expect(captured).toHaveLength(8)
  })

  it.each(captured)('$date, as MarshalBinary', ({ date, old }) => {
    expect(read(old)).toBe(millis(date))
  })

  it.each(captured)('$date, in the new format', ({ date, renewed }) => {
    expect(read(renewed)).toBe(millis(date))
  })

  it.each(captured.filter(({ date }) => /:\d\dZ$/.test(date)))(
    '$date, written',
    ({ date, old }) => {
      expect(write(millis(date))).toBe(old)
    },
  )

  it('of a process in the zone UTC have offset 0 instead of -1', () => {
    const line = lines.find((candidate) => candidate.startsWith('now loc UTC '))
    expect(read(line!.slice('now loc UTC '.length))).toBe(Date.UTC(2026, 10, 22, 12, 42, 3, 390))
  })
})

describe('times that raftkit writes', () => {
  it.each([
    0,
    -1,
    -62_135_596_800_001,
    Date.UTC(2024, 0, 2, 3, 4, 5, 123),
    253_402_300_799_999,
    8.64e15,
    -8.64e15,
    1700000000000.75,
    -0.5,
  ])('%d ms', (ms) => {
    expect(write(ms)).toMatch(/^af01.{24}ffff$/)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, 8.64e15 + 2])('never %d', (ms) => {
    expect(() => write(ms)).toThrow(/cannot encode the time/)
  })
})

describe('times from elsewhere', () => {
  it.each([
    ['MarshalBinary of another version', 'af020000000edd257425075bcd15ffff'],
    ['16 bytes of version 1', 'b0010000000edd257425075bcd15ffff00'],
    ['an extension of another type', 'd60565937d25'],
    ['a timestamp of 5 bytes', 'c705ff65937d2500'],
    ['an extension without bytes', 'c700ff'],
    ['a number', '05'],
    ['a map', '80'],
  ])('are refused: %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }))
  })

  it('have all their nanoseconds', () => {
    expect(read('a8ee6b27fc65937d25')).toBe(Date.UTC(2024, 0, 2, 3, 4, 5, 999))
  })

  it('beyond what a Date holds are absent', () => {
    expect(read(`af017fffffffffffffff00000000ffff`)).toBeUndefined()
    expect(read(`af018000000000000000ffffffffffff`)).toBeUndefined()
  })
})
