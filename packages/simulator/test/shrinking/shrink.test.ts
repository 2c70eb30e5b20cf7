import { describe, expect, it } from 'vitest'
import { replayArguments, runSeed, shrink, type ShrunkSeed } from '@raftkit/simulator'
import { Bank, bankWorkload } from '../bank.ts'

/** A bank whose snapshots forget the frozen accounts. */
const forgetful = {
  stateMachine: () => new Bank('forgets frozen accounts'),
  workload: bankWorkload,
}

/** Events that a run must have before it fails, for there to be something to leave out. */
const WORTHWHILE = 4000

/** Seeds that are made small. Of some seeds much is left, as of every search that takes what is smaller next. */
const TRIES = 3

/** Of some seeds that fail late, the one of which the smallest part is left. What a seed draws changes with the world: none is named here. */
async function shrunk(maxRuns?: number): Promise<ShrunkSeed> {
  const all: ShrunkSeed[] = []
  for (let seed = 1; all.length < (maxRuns === undefined ? TRIES : 1); seed++) {
    if (seed > 200) throw new Error('too few seeds fail')
    const { violation, events } = await runSeed(seed, forgetful)
    if (violation === undefined || events < WORTHWHILE) continue
    const found = await shrink(seed, { ...forgetful, maxRuns: maxRuns ?? 250 })
    if (found !== undefined) all.push(found)
  }
  return all.toSorted((a, b) => leftOf(a) - leftOf(b))[0]!
}

function leftOf({ original, result }: ShrunkSeed): number {
  return result.events / original.events
}

describe('shrink', () => {
  it('makes a failing run much smaller, and the reduction alone reproduces it', async () => {
    const { original, result, story } = await shrunk()
    expect(original.violation?.check).toBe('determinism')
    expect(result.violation?.check).toBe('determinism')
    expect(result.events).toBeLessThan(original.events / 4)
    expect(result.reduction.without?.length).toBeGreaterThan(5)
    expect(result.options.onlyActs?.length).toBeLessThan(5)
    expect(replayArguments(result).join(' ')).toContain('--acts')
    expect(story.length).toBeLessThan(300)
    // It may show while a server starts, which then still says that it runs.
    expect(story.slice(-2).join('\n')).toContain('determinism the state machine of')

    const again = await runSeed(original.seed, { ...forgetful, reduction: result.reduction })
    expect(again.traceHash).toBe(result.traceHash)
    expect(again.violation).toEqual(result.violation)
  })

  it('stops after so many runs, with what it has', async () => {
    const { original, result, runs } = await shrunk(10)
    expect(runs).toBe(10)
    expect(result.violation?.check).toBe(original.violation?.check)
  })

  it('finds nothing to do in a seed that does not fail', async () => {
    expect(await shrink(4, { profile: 'calm', servers: 1 })).toBeUndefined()
  })
})
