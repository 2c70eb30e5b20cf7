import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LogTail } from '../../../src/runtime/log/log-tail.ts'
import { numbered } from '../../support/batches.ts'

const indexesOf = (tail: LogTail, from: number, to: number, maxBytes = Infinity) =>
  tail
    .read(from, to, maxBytes)
    ?.flatMap((batch) => Array.from({ length: batch.count }, (_, at) => batch.firstIndex + at))

describe('LogTail', () => {
  it('is empty at first', () => {
    const tail = new LogTail(1000)
    expect([tail.firstIndex, tail.lastIndex, tail.bytes]).toEqual([0, 0, 0])
    expect(tail.read(1, 1, 1)).toBeUndefined()
  })

  it('refuses a batch that does not follow', () => {
    const tail = new LogTail(1000)
    tail.append(numbered(1, 1, 2))
    expect(() => tail.append(numbered(4, 1, 1))).toThrow('entry 4 does not follow 2')
  })

  it('reads across batches, as slices', () => {
    const tail = new LogTail(10_000)
    for (const first of [1, 4, 7]) tail.append(numbered(first, 1, 3))
    expect(indexesOf(tail, 2, 8)).toEqual([2, 3, 4, 5, 6, 7, 8])
    expect(indexesOf(tail, 10, 12)).toBeUndefined()
  })

  it('stops before an entry that would exceed the bytes, but the first always comes', () => {
    const tail = new LogTail(10_000)
    const batch = numbered(1, 1, 3)
    tail.append(batch)
    tail.append(numbered(4, 1, 3))
    const one = batch.byteLengthAt(1)
    expect(indexesOf(tail, 1, 6, one * 2)).toEqual([1, 2])
    expect(indexesOf(tail, 1, 6, one * 4)).toEqual([1, 2, 3, 4])
    expect(indexesOf(tail, 1, 6, 1)).toEqual([1])
    expect(indexesOf(tail, 3, 6, one)).toEqual([3])
  })

  it('keeps what is not durable, however large', () => {
    const batch = numbered(1, 1, 3)
    const tail = new LogTail(batch.byteLength)
    tail.append(batch)
    tail.append(numbered(4, 1, 3))
    tail.evict(0)
    expect(tail.firstIndex).toBe(1)
    tail.evict(2)
    expect(tail.firstIndex).toBe(1)
    tail.evict(3)
    expect(tail.firstIndex).toBe(4)
    expect(tail.bytes).toBe(numbered(4, 1, 3).byteLength)
  })

  it('behaves as a plain array would', () => {
    const action = fc.oneof(
      fc.record({ do: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ do: fc.constant('truncate' as const), back: fc.integer({ min: 0, max: 8 }) }),
      fc.record({ do: fc.constant('drop' as const), ahead: fc.integer({ min: 0, max: 8 }) }),
    )
    fc.assert(
      fc.property(fc.array(action, { maxLength: 40 }), (actions) => {
        const tail = new LogTail(Infinity)
        let held: number[] = []
        let next = 1
        for (const step of actions) {
          if (step.do === 'append') {
            tail.append(numbered(next, 1, step.count))
            for (let count = 0; count < step.count; count++) held.push(next++)
          } else if (step.do === 'truncate') {
            const from = Math.max(held[0] ?? next, next - step.back)
            tail.truncate(from)
            held = held.filter((index) => index < from)
            next = Math.min(next, from)
          } else {
            const to = (held[0] ?? next) + step.ahead
            tail.dropThrough(to)
            // Whole batches only: what the tail still holds must be a suffix of what it held.
            held = held.filter((index) => tail.firstIndex !== 0 && index >= tail.firstIndex)
          }
          expect(indexesOf(tail, held[0] ?? 1, next) ?? []).toEqual(held)
          expect(tail.lastIndex).toBe(held.at(-1) ?? 0)
          for (const index of held) {
            const batch = tail.batchAt(index)!
            expect(batch.firstIndex <= index && index <= batch.lastIndex).toBe(true)
          }
        }
      }),
    )
  })
})
