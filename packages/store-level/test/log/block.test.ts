import { EntryBatch, LogType } from '@raftkit/interface'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cutBlock, decodeBlock, divideIntoBlocks, encodeBlock } from '../../src/log/block.ts'
import { DamagedRecord } from '../../src/database/record.ts'
import { contentsOf, entries } from '../entries.ts'

const entry = fc.record({
  bytes: fc.uint8Array({ maxLength: 40 }),
  term: fc.oneof(fc.integer({ min: 0, max: 3 }), fc.maxSafeNat()),
  type: fc.constantFrom(...Object.values(LogType)),
})
const someEntries = fc.array(entry, { minLength: 1, maxLength: 20 })
const firstIndex = fc.oneof(
  fc.integer({ min: 1, max: 1000 }),
  fc.integer({ min: 2 ** 31 - 10, max: 2 ** 31 + 10 }),
  fc.integer({ min: 2 ** 53 - 100, max: 2 ** 53 - 30 }),
)

test('a block gives its entries back', () => {
  fc.assert(
    fc.property(firstIndex, someEntries, fc.nat(), (first, given, previous) => {
      const batch = batchOf(first, given)
      const block = encodeBlock([{ batch, start: 0, end: batch.count }], previous)
      expect(block.lastIndex).toBe(batch.lastIndex)
      expect(block.lastTerm).toBe(batch.lastTerm)
      const decoded = decodeBlock(block.value, batch.lastIndex)
      expect(decoded.checksum).toBe(block.checksum)
      expect(decoded.previousChecksum).toBe(previous)
      expect(itemsOf(decoded.entries)).toEqual(itemsOf(batch))
    }),
  )
})

test('several parts make the block that one batch makes', () => {
  const whole = entries(5, 9)
  const parts = [
    { batch: whole.slice(5, 7), start: 0, end: 3 },
    { batch: whole, start: 3, end: 8 },
    { batch: whole.slice(12, 13), start: 1, end: 2 },
  ]
  expect(encodeBlock(parts, 7).value).toEqual(
    encodeBlock([{ batch: whole, start: 0, end: 9 }], 7).value,
  )
})

test('a cut block is the block of what is left', () => {
  fc.assert(
    fc.property(someEntries, fc.nat(), (given, at) => {
      const batch = batchOf(100, given)
      const left = (at % batch.count) + 1
      const whole = encodeBlock([{ batch, start: 0, end: batch.count }], 3)
      const cut = cutBlock(decodeBlock(whole.value, batch.lastIndex), 99 + left)
      expect(cut.value).toEqual(encodeBlock([{ batch, start: 0, end: left }], 3).value)
    }),
  )
})

test('a damaged byte, a missing end or another place is found out', () => {
  const batch = entries(7, 4)
  const { value } = encodeBlock([{ batch, start: 0, end: 4 }], 1)
  for (let i = 0; i < value.length; i++) {
    const damaged = Uint8Array.from(value)
    damaged[i]! ^= 1
    expect(() => decodeBlock(damaged, 10)).toThrow(DamagedRecord)
    expect(() => decodeBlock(value.subarray(0, i), 10)).toThrow(DamagedRecord)
  }
  expect(() => decodeBlock(value, 11)).toThrow('it holds 4 entries from 7')
})

test('the checksum covers the block before', () => {
  const batch = entries(7, 4)
  const part = { batch, start: 0, end: 4 }
  expect(encodeBlock([part], 1).checksum).not.toBe(encodeBlock([part], 2).checksum)
})

test('batches are divided by size, and every entry is in one block', () => {
  fc.assert(
    fc.property(
      fc.array(someEntries, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 100 }),
      (groups, maxBytes) => {
        let next = 50
        const batches = groups.map((given) => {
          const batch = batchOf(next, given)
          next += given.length
          return batch
        })
        const blocks = divideIntoBlocks(batches, maxBytes).map((parts) =>
          parts.flatMap(({ batch, start, end }) => itemsOf(batch).slice(start, end)),
        )
        expect(blocks.flat()).toEqual(batches.flatMap(itemsOf))
        const tooLarge = blocks.filter((block) => block.length > 1 && sizeOf(block) > maxBytes)
        expect(tooLarge).toEqual([])
        const tooSmall = blocks.filter((block, i) => {
          const following = blocks[i + 1]?.[0]
          return following && sizeOf([...block, following]) <= maxBytes
        })
        expect(tooSmall).toEqual([])
      },
    ),
  )
})

test('entries of one term and type cost four bytes each and one run', () => {
  const batch = entries(1, 100)
  const { value } = encodeBlock([{ batch, start: 0, end: 100 }], 0)
  expect(value.length).toBe(25 + 13 + 4 * 100 + batch.byteLength)
  expect(contentsOf(decodeBlock(value, 100).entries)).toEqual(contentsOf(batch))
})

interface Item {
  readonly index: number
  readonly term: number
  readonly type: number
  readonly hex: string
}

function batchOf(
  first: number,
  given: readonly { bytes: Uint8Array; term: number; type: LogType }[],
): EntryBatch {
  const offsets = [3]
  for (const { bytes } of given) offsets.push(offsets.at(-1)! + bytes.length)
  return new EntryBatch(
    first,
    Buffer.concat([Buffer.alloc(3), ...given.map(({ bytes }) => bytes), Buffer.alloc(2)]),
    offsets,
    given.map(({ term }) => term),
    given.map(({ type }) => type),
  )
}

function itemsOf(batch: EntryBatch): readonly Item[] {
  return Array.from({ length: batch.count }, (_, i) => ({
    index: batch.firstIndex + i,
    term: batch.terms[i]!,
    type: batch.types[i]!,
    hex: Buffer.from(batch.bytesAt(batch.firstIndex + i)).toString('hex'),
  }))
}

function sizeOf(items: readonly Item[]): number {
  return items.reduce((sum, { hex }) => sum + hex.length / 2, 0)
}
