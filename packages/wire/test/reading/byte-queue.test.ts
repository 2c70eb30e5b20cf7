import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ByteQueue } from '../../src/reading/byte-queue.ts'
import { concat, hex } from '../hex.ts'

describe('ByteQueue', () => {
  it('gives back what was pushed, in order, whatever the sizes of chunks and takes', () => {
    const sizes = fc.array(fc.oneof(fc.nat(20), fc.integer({ min: 2000, max: 20_000 })))
    fc.assert(
      fc.property(sizes, fc.array(fc.nat(30_000)), (chunks, takes) => {
        const queue = new ByteQueue()
        let stamp = 0
        const pushed = chunks.map((size) => Uint8Array.from({ length: size }, () => stamp++ % 251))
        const all = concat(pushed)
        const taken: Uint8Array[] = []
        let pushes = pushed.length
        for (const take of takes) {
          const chunk = pushed[pushed.length - pushes]
          if (chunk !== undefined) {
            queue.push(chunk)
            pushes--
          }
          if (queue.length > 0) taken.push(queue.take(Math.min(take, queue.length)))
        }
        for (const chunk of pushed.slice(pushed.length - pushes)) queue.push(chunk)
        while (queue.length > 0) taken.push(queue.takeUpTo(1 + (taken.length % 5000)))
        expect(hex(concat(taken))).toBe(hex(all))
      }),
      { numRuns: 60 },
    )
  })

  it('gives a view of a chunk, not a copy, when the bytes lie together', () => {
    const queue = new ByteQueue()
    const chunk = new Uint8Array(5000)
    queue.push(chunk)
    queue.push(new Uint8Array(5000))
    expect(queue.take(3000).buffer).toBe(chunk.buffer)
    expect(queue.take(3000).buffer).not.toBe(chunk.buffer)
  })

  it('gathers the bytes of a peer that sends one at a time, so that they cost about what they are', () => {
    const queue = new ByteQueue()
    const chunks = Array.from({ length: 10_000 }, () => new Uint8Array(1))
    for (const chunk of chunks) queue.push(chunk)
    const buffers = new Set<ArrayBufferLike>()
    while (queue.length > 0) buffers.add(queue.takeUpTo(100_000).buffer)
    expect(buffers.size).toBeLessThan(5)
  })
})
