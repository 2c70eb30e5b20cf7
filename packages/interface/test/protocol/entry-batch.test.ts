import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntryBatch, LogType } from '@raftkit/interface'

function batchOf(firstIndex: number, sizes: readonly number[], lead = 0): EntryBatch {
  const offsets = [lead]
  for (const size of sizes) offsets.push(offsets[offsets.length - 1]! + size)
  const bytes = Uint8Array.from({ length: offsets[offsets.length - 1]! + 3 }, (_, i) => i)
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    sizes.map((_, i) => 1 + (i >> 1)),
    sizes.map(() => LogType.command),
  )
}

describe('EntryBatch', () => {
  it('tells index, term, type and bytes of each entry', () => {
    const batch = batchOf(5, [2, 0, 3], 1)
    expect([batch.count, batch.lastIndex, batch.lastTerm, batch.byteLength]).toEqual([3, 7, 2, 5])
    expect([...batch.bytesAt(5)]).toEqual([1, 2])
    expect([...batch.bytesAt(6)]).toEqual([])
    expect([...batch.bytesAt(7)]).toEqual([3, 4, 5])
    expect([...batch.view]).toEqual([1, 2, 3, 4, 5])
    expect([batch.termAt(5), batch.termAt(7), batch.typeAt(6)]).toEqual([1, 2, LogType.command])
    expect(batch.byteLengthAt(7)).toBe(3)
  })

  it('does not round its last index up to 2^53', () => {
    const largest = Number.MAX_SAFE_INTEGER
    expect(batchOf(largest - 1, [1, 1]).lastIndex).toBe(largest)
    expect(Number.isSafeInteger(batchOf(largest - 1, [1, 1, 1]).lastIndex)).toBe(false)
  })

  it('works with indexes above 2^32', () => {
    const batch = batchOf(2 ** 40, [1, 1])
    expect(batch.lastIndex).toBe(2 ** 40 + 1)
    expect([...batch.bytesAt(2 ** 40 + 1)]).toEqual([1])
  })

  it.each([[4], [8], [5.5], [Number.NaN]])('refuses index %d outside 5..7', (index) => {
    const batch = batchOf(5, [2, 0, 3])
    expect(() => batch.bytesAt(index)).toThrow(RangeError)
  })

  it('refuses to be empty or to have a table that does not match', () => {
    expect(() => batchOf(1, [])).toThrow(RangeError)
    expect(() => new EntryBatch(1, new Uint8Array(), [0], [1], [0])).toThrow(RangeError)
    expect(() => new EntryBatch(1, new Uint8Array(), [0, 0], [1], [])).toThrow(RangeError)
  })

  it('gives slices that hold what the whole holds, over the same buffer', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }),
        fc.nat(),
        fc.nat(),
        (sizes, a, b) => {
          const batch = batchOf(100, sizes, 4)
          const [from, to] = [a % sizes.length, b % sizes.length].sort((x, y) => x - y)
          const slice = batch.slice(100 + from!, 100 + to!)
          expect(slice.bytes).toBe(batch.bytes)
          expect([slice.firstIndex, slice.lastIndex]).toEqual([100 + from!, 100 + to!])
          for (let index = slice.firstIndex; index <= slice.lastIndex; index++) {
            expect(slice.bytesAt(index)).toEqual(batch.bytesAt(index))
            expect(slice.termAt(index)).toBe(batch.termAt(index))
          }
        },
      ),
    )
  })
})
