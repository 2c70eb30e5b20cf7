import { describe, expect, it } from 'vitest'
import {
  FAULT_CLASSES,
  type FaultClass,
  type Reduction,
  replayArguments,
  runSeed,
} from '@raftkit/simulator'

describe('a reduction', () => {
  it('leaves acts out and numbers the others as before', async () => {
    const actsOf = async (reduction: Reduction): Promise<readonly number[]> => {
      const acts: number[] = []
      await runSeed(9, {
        profile: 'flap',
        servers: 3,
        reduction: { untilMs: 10_000, ...reduction },
        onLine: ({ who, facts }) => {
          if (who === 'nemesis') acts.push(Number(facts[1]))
        },
      })
      return acts
    }
    const all = await actsOf({})
    expect(all.length).toBeGreaterThan(4)
    expect(all).toEqual(all.map((_, place) => place + 1))
    expect(await actsOf({ acts: [2, 5] })).toEqual([2, 5])
    expect(await actsOf({ acts: [] })).toEqual([])
  })

  it('ends the faults early, and limits clients and calls', async () => {
    const whole = await runSeed(3, { servers: 3 })
    const { options, calls, simulatedMs } = await runSeed(3, {
      servers: 3,
      reduction: { untilMs: 2000, clients: 1, calls: 7 },
    })
    expect(options.durationMs).toBe(2000)
    expect(options.workload.clients).toBe(1)
    expect(calls).toBeLessThanOrEqual(7)
    expect(simulatedMs).toBeLessThan(whole.simulatedMs)
  })

  it('gives the same world another course of events', async () => {
    const hashOf = async (variant: number): Promise<string> =>
      (await runSeed(3, { servers: 3, reduction: { variant } })).traceHash
    expect(await hashOf(0)).toBe((await runSeed(3, { servers: 3 })).traceHash)
    expect(await hashOf(1)).not.toBe(await hashOf(0))
    expect(await hashOf(1)).toBe(await hashOf(1))
  })

  it('draws the servers that are left as before', async () => {
    const { options: five } = await runSeed(8, { servers: 5 })
    const { options: three } = await runSeed(8, { servers: 3 })
    expect(three.spares).toBe(five.spares)
    const kept = <T>(ofFive: readonly T[]): T[] => [...ofFive.slice(0, 3), ...ofFive.slice(5)]
    expect(three.configs).toEqual(kept(five.configs))
    expect(three.disks).toEqual(kept(five.disks))
    expect(three.intervals).toEqual(five.intervals)
  })

  it('becomes calm when every class is off', async () => {
    const { options } = await runSeed(5, { reduction: { without: FAULT_CLASSES } })
    expect(options.network).toMatchObject({ loss: 0, duplication: 0, reordering: 0 })
    expect(options.vault).toBe(0)
    expect(options.configs.every(({ preVote }) => preVote)).toBe(true)
  })

  it('is printed as arguments that replay it', async () => {
    const reduction = { servers: 2, without: ['loss', 'drift'], acts: [], untilMs: 900 } as const
    const result = await runSeed(5, { profile: 'votes', reduction })
    expect(replayArguments(result).join(' ')).toBe(
      '--seed 5 --profile votes --servers 2 --without loss,drift --acts none --until 900',
    )
  })

  it('with an unknown class is refused', () => {
    const without = JSON.parse('["rain"]') as FaultClass[]
    expect(() => runSeed(1, { reduction: { without } })).toThrow("no class of faults 'rain'")
  })
})
