// Kinds of world with more in them than Raft: whole nodes, and elections.
import { describe, expect, it } from 'vitest'
import { KINDS } from '../src/worlds/kinds.ts'

const kinds = Object.entries(KINDS)

describe.each(kinds)('worlds of %s', (_, kind) => {
  it.each([1, 2, 3, 4, 5, 6])('find nothing wrong in seed %i', async (seed) => {
    const { violation, ownMarks } = await kind.run(seed, {})
    expect(violation).toBeUndefined()
    expect(Object.keys(ownMarks).filter((mark) => !kind.marks.includes(mark))).toEqual([])
  })

  it('give the same run again', async () => {
    const [one, two] = [await kind.run(2, {}), await kind.run(2, {})]
    expect(one.traceHash).toBe(two.traceHash)
    expect(one.ownMarks).toEqual(two.ownMarks)
  })
})
