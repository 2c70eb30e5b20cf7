import { describe, expect, it } from 'vitest'
import { Saturation } from '../../src/metrics/saturation.ts'

describe('Saturation', () => {
  it('is the busy part of the last second, with two decimals', () => {
    const saturation = new Saturation(1000)
    saturation.begin(1100)
    saturation.end(1400)
    expect(saturation.read(1900)).toBe(0)
    saturation.begin(1900)
    saturation.end(2000)
    expect(saturation.read(2000)).toBe(0.4)
    // The next second begins with nothing.
    saturation.begin(2500)
    saturation.end(2503)
    expect(saturation.read(2999)).toBe(0.4)
    expect(saturation.read(3000)).toBe(0)
    expect(saturation.read(4000)).toBe(0)
  })

  it('counts work that is not over', () => {
    const saturation = new Saturation(0)
    saturation.begin(500)
    expect(saturation.read(1000)).toBe(0.5)
    expect(saturation.read(2000)).toBe(1)
    saturation.end(2250)
    expect(saturation.read(3000)).toBe(0.25)
  })

  it('takes the whole time since the last look when nothing happened for long', () => {
    const saturation = new Saturation(0)
    saturation.begin(0)
    saturation.end(100)
    expect(saturation.read(10_000)).toBe(0.01)
  })

  it('loses the time between two begins or two ends, and reports the rest', () => {
    const twoBegins = new Saturation(0)
    twoBegins.begin(0)
    twoBegins.begin(500)
    twoBegins.end(750)
    // Of 500 known milliseconds, 250 were work.
    expect(twoBegins.read(1000)).toBe(0.5)

    const twoEnds = new Saturation(0)
    twoEnds.begin(0)
    twoEnds.end(100)
    twoEnds.end(600)
    expect(twoEnds.read(1100)).toBe(0.17)

    const nothingKnown = new Saturation(0)
    nothingKnown.end(2000)
    expect(nothingKnown.read(2000)).toBe(0)
  })
})
