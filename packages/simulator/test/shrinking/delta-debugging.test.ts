import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { smallestFailing } from '../../src/shrinking/delta-debugging.ts'

describe('smallestFailing', () => {
  it('finds what a failure needs, and only that', async () => {
    const cases = fc
      .uniqueArray(fc.nat(60), { minLength: 1, maxLength: 40 })
      .chain((items) => fc.record({ items: fc.constant(items), needed: fc.subarray(items) }))
    await fc.assert(
      fc.asyncProperty(cases, async ({ items, needed }) => {
        const found = await smallestFailing(items, async (kept) =>
          needed.every((item) => kept.includes(item)),
        )
        expect(found).toEqual(needed)
      }),
      { seed: 7 },
    )
  })

  it('keeps everything when nothing can be left out', async () => {
    expect(await smallestFailing([1, 2, 3], async (kept) => kept.length === 3)).toEqual([1, 2, 3])
  })
})
