import { describe, expect, it } from 'vitest'
import { SeenStates } from '../../src/linearizability/seen-states.ts'

/** So many that some pairs certainly have the same hash of 32 bits. */
const MANY = 300_000

describe('SeenStates', () => {
  it('tells states apart, whatever their hashes', () => {
    const seen = new SeenStates(8)
    const stateOf = (n: number): string => Math.imul(n + 1, 0x9e3779b1).toString(36)
    let known = 0
    for (let n = 0; n < MANY; n++) if (!seen.add(stateOf(n))) known++
    expect(known).toBe(0)
    expect(seen.size).toBe(MANY)
    expect(seen.add(stateOf(77))).toBe(false)
  })

  it('tells sets of operations apart, whatever their hashes', () => {
    // More operations than bits of the hash, so that different sets can have the same.
    const seen = new SeenStates(64)
    const wordsOf = (n: number): readonly number[] => [
      Math.imul(n, 0x9e3779b1),
      Math.imul(n ^ (n >>> 3), 0x85ebca6b),
    ]
    let known = 0
    for (let n = 1; n <= MANY; n++) {
      const before = wordsOf(n - 1)
      for (const [word, bits] of wordsOf(n).entries())
        for (let bit = 0; bit < 32; bit++)
          if ((((bits ^ before[word]!) >>> bit) & 1) === 1) seen.flip(32 * word + bit)
      if (!seen.add('x')) known++
    }
    expect(known).toBe(0)
    expect(seen.add('x')).toBe(false)
  })
})
