import { describe, expect, it } from 'vitest'
import { replayArguments, runSeed, shrink, type ShrunkSeed } from '@raftkit/simulator'
import { Bank, bankWorkload } from '../bank.ts'

/** A bank whose snapshots forget the frozen accounts. */
const forgetful = {
  stateMachine: () => new Bank('forgets frozen accounts'),
  workload: bankWorkload,
}

async function shrunk(seed: number, maxRuns?: number): Promise<ShrunkSeed> {
  const found = await shrink(seed, maxRuns === undefined ? forgetful : { ...forgetful, maxRuns })
  if (found === undefined) throw new Error(`seed ${seed} does not fail`)
  return found
}

describe('shrink', () => {
  it('makes a failing run much smaller, and the reduction alone reproduces it', async () => {
    const { original, result, story } = await shrunk(4)
    expect(result.violation?.check).toBe(original.violation?.check)
    expect(result.events).toBeLessThan(original.events / 4)
    expect(result.reduction.without?.length).toBeGreaterThan(5)
    // The seed plans four acts of nemeses before it fails; one is needed.
    expect(result.options.onlyActs).toEqual([4])
    expect(replayArguments(result).join(' ')).toContain('--acts 4')
    expect(story.length).toBeLessThan(100)
    expect(story.at(-1)).toContain('determinism the state machine of')

    const again = await runSeed(4, { ...forgetful, reduction: result.reduction })
    expect(again.traceHash).toBe(result.traceHash)
    expect(again.violation).toEqual(result.violation)
  })

  it('stops after so many runs, with what it has', async () => {
    const { original, result, runs } = await shrunk(4, 10)
    expect(runs).toBe(10)
    expect(result.violation?.check).toBe(original.violation?.check)
  })

  it('finds nothing to do in a seed that does not fail', async () => {
    expect(await shrink(4, { profile: 'calm', servers: 1 })).toBeUndefined()
  })
})
