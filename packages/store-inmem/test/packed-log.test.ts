import { EntryBatch } from '@raftkit/interface'
import type { LogType } from '@raftkit/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PackedLog } from '../src/packed-log.ts'

describe('PackedLog', () => {
  it('agrees with an array of entries, whatever is appended, cut and read', () => {
    fc.assert(
      fc.property(fc.array(step(), { minLength: 1, maxLength: 40 }), (steps) => {
        const log = new PackedLog()
        const model = new ArrayLog()
        for (const run of steps) run(log, model)
        expect(log.lastIndex).toBe(model.entries.length === 0 ? 0 : model.last)
      }),
      { numRuns: 300 },
    )
  })

  it('leaves a batch that was read as it was, when its entries are cut off and written anew', () => {
    const log = new PackedLog()
    log.append(batchOf(1, 1, [Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]))
    const before = log.read(1, 3, 100)
    log.truncateSuffix(2)
    log.append(batchOf(2, 9, [Uint8Array.of(8), Uint8Array.of(9)]))
    expect([...before.view]).toEqual([1, 2, 3])
    expect(before.terms).toEqual([1, 1, 1])
    expect([...log.read(1, 3, 100).view]).toEqual([1, 8, 9])
  })

  it('keeps an entry of its own larger than any segment', () => {
    const log = new PackedLog()
    const huge = new Uint8Array(3 * 1024 * 1024).fill(7)
    log.append(batchOf(1, 1, [Uint8Array.of(1), huge, Uint8Array.of(3)]))
    const held = log.read(2, 3, 1).bytesAt(2)
    expect(held.length).toBe(huge.length)
    expect(held.every((byte) => byte === 7)).toBe(true)
    expect([...log.read(3, 3, 1).view]).toEqual([3])
  })
})

/** The same log the plain way: an object per entry. */
class ArrayLog {
  first = 1
  entries: { term: number; type: LogType; bytes: Uint8Array }[] = []

  get last(): number {
    return this.first + this.entries.length - 1
  }
}

type Step = (log: PackedLog, model: ArrayLog) => void

function step(): fc.Arbitrary<Step> {
  // Sizes on both sides of the smallest segment, 4 KiB, so that batches share, fill and span segments.
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(6000)), { minLength: 1, maxLength: 12 })
  return fc.oneof(
    fc
      .tuple(sizes, fc.nat(5), fc.nat(1000))
      .map(([lengths, term, jump]) => append(lengths, term, jump)),
    fc.nat(30).map((back) => cutSuffix(back)),
    fc.nat(30).map((forward) => cutPrefix(forward)),
    fc.tuple(fc.nat(30), fc.nat(30), fc.nat(20_000)).map(([a, b, max]) => read(a, b, max)),
  )
}

function append(lengths: readonly number[], term: number, jump: number): Step {
  return (log, model) => {
    if (model.entries.length === 0) model.first = 1 + jump
    const entries = lengths.map((length, i) => ({
      term,
      type: (i % 2) as LogType,
      bytes: new Uint8Array(length).fill(model.last + i),
    }))
    log.append(
      batchOf(
        model.last + 1,
        term,
        entries.map((entry) => entry.bytes),
        entries.map((entry) => entry.type),
      ),
    )
    model.entries.push(...entries)
    checkBounds(log, model)
  }
}

function cutSuffix(back: number): Step {
  return (log, model) => {
    const from = Math.max(1, model.last + 2 - back)
    log.truncateSuffix(from)
    model.entries.length = Math.min(model.entries.length, Math.max(0, from - model.first))
    checkBounds(log, model)
  }
}

function cutPrefix(forward: number): Step {
  return (log, model) => {
    const to = model.first - 1 + forward
    log.truncatePrefix(to)
    const removed = model.entries.splice(0, forward)
    model.first += removed.length
    checkBounds(log, model)
  }
}

function read(a: number, b: number, maxBytes: number): Step {
  return (log, model) => {
    if (model.entries.length === 0) return
    const from = model.first + (a % model.entries.length)
    const to = Math.min(model.last, from + b)
    const expected = model.entries.slice(from - model.first, to - model.first + 1)
    let size = 0
    let count = 0
    for (const entry of expected) {
      size += entry.bytes.length
      if (count > 0 && size > maxBytes) break
      count++
    }
    const batch = log.read(from, to, maxBytes)
    expect(batch.firstIndex).toBe(from)
    expect(batch.count).toBe(count)
    for (let i = 0; i < count; i++) {
      expect(batch.termAt(from + i)).toBe(expected[i]!.term)
      expect(batch.typeAt(from + i)).toBe(expected[i]!.type)
      expect(batch.bytesAt(from + i)).toEqual(expected[i]!.bytes)
    }
  }
}

function checkBounds(log: PackedLog, model: ArrayLog): void {
  const empty = model.entries.length === 0
  expect(log.firstIndex).toBe(empty ? 0 : model.first)
  expect(log.lastIndex).toBe(empty ? 0 : model.last)
}

function batchOf(
  firstIndex: number,
  term: number,
  entries: readonly Uint8Array[],
  types: readonly LogType[] = entries.map(() => 0),
): EntryBatch {
  const offsets = [0]
  for (const entry of entries) offsets.push(offsets.at(-1)! + entry.length)
  const bytes = new Uint8Array(offsets.at(-1)!)
  for (const [i, entry] of entries.entries()) bytes.set(entry, offsets[i])
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    entries.map(() => term),
    types,
  )
}
