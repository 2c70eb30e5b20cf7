import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { packFrames } from '../src/frame-packing.ts'

const sizes = (frames: Uint8Array[]) => frames.map((frame) => frame.byteLength)

describe('packFrames', () => {
  it('joins small pieces and cuts large ones', () => {
    const pack = (...lengths: number[]) =>
      sizes(
        packFrames(
          lengths.map((length) => new Uint8Array(length)),
          100,
        ),
      )
    expect(pack()).toEqual([])
    expect(pack(0, 0)).toEqual([])
    expect(pack(40)).toEqual([40])
    expect(pack(40, 60)).toEqual([100])
    expect(pack(40, 61)).toEqual([100, 1])
    expect(pack(250)).toEqual([100, 100, 50])
    expect(pack(30, 250, 30)).toEqual([100, 100, 100, 10])
  })

  it('copies nothing that fills a frame by itself', () => {
    const large = new Uint8Array(200)
    const small = new Uint8Array(7)
    for (const frame of packFrames([large], 100)) expect(frame.buffer).toBe(large.buffer)
    expect(packFrames([small], 100)).toEqual([small])
    expect(packFrames([small], 100)[0]?.buffer).toBe(small.buffer)
  })

  it('keeps every byte in order, in as few frames as can be', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 70 }), { maxLength: 12 }),
        fc.integer({ min: 1, max: 50 }),
        (chunks, frameBytes) => {
          const frames = packFrames(chunks, frameBytes)
          const whole = Buffer.concat(chunks)
          expect(Buffer.concat(frames).equals(whole)).toBe(true)
          expect(frames.length).toBe(Math.ceil(whole.byteLength / frameBytes))
          for (const size of sizes(frames)) expect(size).toBeLessThanOrEqual(frameBytes)
        },
      ),
    )
  })
})
