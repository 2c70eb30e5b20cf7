import { MARKS, type Mark } from '@raftkit/simulator'
import { describe, expect, it } from 'vitest'
import type { SeedMessage } from '../src/messages.ts'
import { Tally } from '../src/tally.ts'

const allMarks = Object.fromEntries(MARKS.map((mark) => [mark, 1])) as Record<Mark, number>

function message(seed: number, change: Partial<SeedMessage> = {}): SeedMessage {
  return {
    seed,
    failure: undefined,
    historyUndecided: false,
    simulatedMs: 30_000,
    busyMs: 100,
    events: 1000,
    calls: 50,
    committed: 20,
    marks: allMarks,
    ...change,
  }
}

function tallyOf(seeds: number, change?: (seed: number) => Partial<SeedMessage>): Tally {
  const tally = new Tally(MARKS)
  for (let seed = 1; seed <= seeds; seed++) tally.add(message(seed, change?.(seed)))
  return tally
}

describe('Tally', () => {
  it('sums up', () => {
    const tally = tallyOf(10)
    expect(tally.isClean).toBe(true)
    expect(tally.report()).toMatchObject({
      clean: true,
      seeds: 10,
      failures: [],
      broken: [],
      undecided: 0,
      events: 10_000,
      simulatedSeconds: 300,
      simulatedPerCoreSecond: 300,
      seedsPerCoreMinute: 600,
    })
    expect(tally.summary()).toContain('10 seeds: nothing wrong')
    expect(tally.summary()).toContain('300 per second and core; 600 seeds per minute and core')
  })

  it('names each failure with the command that shows it again', () => {
    const tally = tallyOf(3, (seed) => ({
      failure:
        seed === 2
          ? { seed, check: 'liveness', message: 'm', replay: '--seed 2', text: 't' }
          : undefined,
    }))
    expect(tally.isClean).toBe(false)
    expect(tally.summary()).toContain('liveness: pnpm sim --seed 2 --trace (or --shrink)')
  })

  it('names seeds that were not finished', () => {
    const tally = tallyOf(3)
    const job = { seed: 9, profile: 'core', reduction: {}, canary: false }
    tally.addBroken({ job, reason: 'it hung' })
    expect(tally.isClean).toBe(false)
    expect(tally.summary()).toContain('seed 9 (profile core) was not finished: it hung')
  })

  it('fails when too many histories are undecided', () => {
    const tally = (undecided: number): Tally =>
      tallyOf(400, (seed) => ({ historyUndecided: seed <= undecided }))
    expect(tally(2).isClean).toBe(true)
    expect(tally(3).isClean).toBe(false)
    expect(tally(3).summary()).toContain('too many histories undecided')
  })

  it('fails when a thousand seeds leave a mark out', () => {
    const { 'a snapshot was sent': _, ...rest } = allMarks
    expect(tallyOf(999, () => ({ marks: rest })).isClean).toBe(true)
    expect(tallyOf(1000, () => ({ marks: rest })).isClean).toBe(false)
    expect(tallyOf(1000).isClean).toBe(true)
    expect(tallyOf(1000, () => ({ marks: rest })).summary()).toContain(
      'marks not reached: a snapshot was sent',
    )
    expect(tallyOf(5, () => ({ marks: {} })).summary()).toContain(
      `${MARKS.length} marks not reached`,
    )
  })
})
