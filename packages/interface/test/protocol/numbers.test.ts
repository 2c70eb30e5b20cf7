import { describe, expect, it } from 'vitest'
import { isSafeNumber } from '@raftkit/interface'

describe('isSafeNumber', () => {
  it.each([0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER])('accepts %d', (value) => {
    expect(isSafeNumber(value)).toBe(true)
  })
  it.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY, '1', 1n, null, undefined])(
    'refuses %s',
    (value) => {
      expect(isSafeNumber(value)).toBe(false)
    },
  )
})
