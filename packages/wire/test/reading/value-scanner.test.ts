import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeEntries } from '@raftkit/wire'
import { INCOMPLETE, ValueScanner } from '../../src/reading/value-scanner.ts'
import { concat, hex, unhex } from '../hex.ts'

/** Length of the value at the start of the bytes, which are fed in the given pieces. */
function lengthOf(pieces: readonly Uint8Array[], maxBytes = 1_000_000, maxDepth = 32): number {
  const scanner = new ValueScanner(maxDepth)
  scanner.start(maxBytes, 'maxMessageBytes')
  let before = 0
  for (const piece of pieces) {
    const end = scanner.feed(piece, 0, piece.length)
    if (end !== INCOMPLETE) return before + end
    before += piece.length
  }
  return INCOMPLETE
}

/** One value for every lead byte that there is, 0xc1 apart, with what must follow it. */
const values: readonly string[] = [
  ['00', '7f', 'e0', 'ff', 'c0', 'c2', 'c3'],
  ['80', '8101c0', '8f' + '01c0'.repeat(15), '90', '9101', '9f' + '07'.repeat(15)],
  ['a0', 'a161', 'bf' + '61'.repeat(31)],
  ['c400', 'c40161', 'c5000161', 'c60000000161'],
  ['c70005', 'c7010561', 'c800010561', 'c9000000010561'],
  ['ca00000000', 'cb0000000000000000'],
  ['cc00', 'cd0000', 'ce00000000', 'cf0000000000000000'],
  ['d000', 'd10000', 'd200000000', 'd30000000000000000'],
  ['d40500', 'd5050000', 'd60500000000', 'd705' + '00'.repeat(8), 'd805' + '00'.repeat(16)],
  ['d900', 'd90161', 'da000161', 'db0000000161'],
  ['dc0000', 'dc000201c0', 'dd0000000201c0', 'de0000', 'de00010190', 'df000000010190'],
  ['81a16193c09081a0c0', '9191919190'],
  [hex(encodeEntries(300, 7, [{ type: 0, data: new Uint8Array(200) }]).bytes)],
].flat()

describe('ValueScanner', () => {
  it.each(values)('finds the end of %.24s', (value) => {
    const bytes = unhex(value)
    expect(lengthOf([unhex(value + 'c0')])).toBe(bytes.length)
    for (let cut = 0; cut < bytes.length; cut++)
      expect(lengthOf([bytes.subarray(0, cut)])).toBe(INCOMPLETE)
  })

  it('finds the same end however the bytes are split', () => {
    const value = fc.constantFrom(...values)
    const nested = fc
      .array(value, { minLength: 1, maxLength: 20 })
      .map((inner) => unhex(`dc${inner.length.toString(16).padStart(4, '0')}${inner.join('')}`))
    fc.assert(
      fc.property(nested, fc.array(fc.nat(1000)), (bytes, cuts) => {
        expect(lengthOf(split(concat([bytes, unhex('c0')]), cuts))).toBe(bytes.length)
      }),
    )
  })

  it('refuses the one byte that starts no value', () => {
    expect(() => lengthOf([unhex('91c1')])).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
    )
  })

  it.each([
    'dbffffffff',
    'c6ffffffff',
    'c9ffffffff',
    'ddffffffff',
    'dfffffffff',
    'da0400',
    'de0201',
  ])('refuses %s, which announces more than the limit, before it comes', (announcement) => {
    expect(() => lengthOf([unhex(announcement)], 1024)).toThrow(
      expect.objectContaining({
        code: 'RAFT_LIMIT_EXCEEDED',
        details: expect.objectContaining({ limit: 'maxMessageBytes', allowed: 1024 }) as unknown,
      }),
    )
  })

  it('takes a value of exactly the limit and none of one byte more', () => {
    const bytes = unhex(`92a361616191${'cd0001'}`)
    expect(lengthOf([bytes], bytes.length)).toBe(bytes.length)
    expect(() => lengthOf([bytes], bytes.length - 1)).toThrow(/maxMessageBytes/)
    const entry = encodeEntries(1, 1, [{ type: 0, data: new Uint8Array(9) }]).bytes
    expect(lengthOf([entry], entry.length)).toBe(entry.length)
    expect(() => lengthOf([entry], entry.length - 1)).toThrow(/maxMessageBytes/)
  })

  it('counts what came in earlier pieces towards the limit', () => {
    const pieces = Array.from(unhex('93 91a161 92cd0001c0 07'), (byte) => Uint8Array.of(byte))
    expect(lengthOf(pieces, pieces.length)).toBe(pieces.length)
    expect(() => lengthOf(pieces, pieces.length - 1)).toThrow(/maxMessageBytes/)
  })

  it('refuses containers nested deeper than the limit', () => {
    expect(lengthOf([unhex('91'.repeat(5) + '90')], 100, 5)).toBe(6)
    expect(() => lengthOf([unhex('91'.repeat(6) + '01')], 100, 5)).toThrow(
      expect.objectContaining({ code: 'RAFT_LIMIT_EXCEEDED' }),
    )
  })

  it('can be started again in the middle of a value', () => {
    const scanner = new ValueScanner(8)
    for (const beginning of ['93', 'da00', 'a561', '81a1']) {
      scanner.start(100, 'maxMessageBytes')
      expect(scanner.feed(unhex(beginning), 0, beginning.length / 2)).toBe(INCOMPLETE)
      scanner.start(100, 'maxMessageBytes')
      expect(scanner.feed(unhex('a161c0'), 0, 3)).toBe(2)
    }
  })
})

/** The bytes cut at the given places, taken modulo their length; also empty pieces. */
function split(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [...cuts.map((cut) => cut % bytes.length), bytes.length].toSorted((a, b) => a - b)
  return places.map((place, i) => bytes.subarray(places[i - 1] ?? 0, place))
}
