// Whole clusters from seeds: nothing may be wrong, and everything must follow from the seed.
import { describe, expect, it } from 'vitest'
import { Bank, bankWorkload } from './bank.ts'
import { PROFILE_NAMES, runSeed, simulate, wordsOf } from '@raftkit/simulator'

describe('simulate', () => {
  it('finds nothing wrong in the first seeds', async () => {
    const report = await simulate({ seeds: [1, 12] })
    expect(report.seeds).toBe(12)
    expect(report.committed).toBeGreaterThan(300)
    expect(report.calls).toBeGreaterThan(2000)
  })

  it.each(PROFILE_NAMES)('finds nothing wrong in profile %s', async (profile) => {
    const report = await simulate({ seed: 1, profile })
    expect(report.events).toBeGreaterThan(500)
  })

  it('follows from the seed alone', async () => {
    const [once, again, other] = [await runSeed(5), await runSeed(5), await runSeed(6)]
    expect(again.traceHash).toBe(once.traceHash)
    expect(again.events).toBe(once.events)
    expect(other.traceHash).not.toBe(once.traceHash)
  })

  it('tells the story as it happens', async () => {
    const lines: string[] = []
    await runSeed(1, { profile: 'calm', servers: 3, onLine: (line) => lines.push(wordsOf(line)) })
    expect(lines.some((line) => / n\d +is leader in term 2 \(/.test(line))).toBe(true)
    expect(lines.at(-1)).toContain('shut down')
  })

  it('gives up a run that does not end', async () => {
    const { violation, events } = await runSeed(1, { profile: 'calm', servers: 1, maxEvents: 500 })
    expect(violation?.check).toBe('every run ends')
    expect(events).toBe(500)
  })

  it('says when the history could not be judged', async () => {
    const options = { profile: 'calm', servers: 1, reduction: { untilMs: 500 } }
    const undecided = {
      ...options,
      stateMachine: () => new Bank(),
      workload: () => ({
        ...bankWorkload(),
        judge: () => ({ result: 'unknown', part: 'x' }) as const,
      }),
    }
    expect((await runSeed(1, undecided)).historyUndecided).toBe(true)
    expect((await runSeed(1, options)).historyUndecided).toBe(false)
    expect((await simulate({ ...undecided, seed: 1 })).undecided).toBe(1)
  })

  it('refuses a profile that does not exist', async () => {
    await expect(simulate({ profile: 'sunny' })).rejects.toThrow("there is no profile 'sunny'")
  })
})
