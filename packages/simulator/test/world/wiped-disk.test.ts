// A server that lost its disk does not remember whom it voted for and what it acknowledged.
import { describe, expect, it } from 'vitest'
import { KvMachine } from '../../src/workload/kv-machine.ts'
import { kvWorkload } from '../../src/workload/kv-workload.ts'
import { profileOf } from '../../src/world/profiles.ts'
import type { SeedResult } from '../../src/world/seed-result.ts'
import { runWorld } from '../../src/world/run-world.ts'
import { drawWorld } from '../../src/world/swarm.ts'
import type { WorldOptions } from '../../src/world/world-options.ts'

/** What a server breaks that forgot its vote, or entries that it had acknowledged. */
const BROKEN_PROMISES: readonly string[] = [
  'election safety',
  'one vote per term',
  'leader completeness',
  'durable quorum',
]

/** Nobody changes the members. */
const NO_CHANGES = {
  add: Infinity,
  remove: Infinity,
  demote: Infinity,
  move: Infinity,
  replace: Infinity,
  several: Infinity,
  swap: Infinity,
}

/** Three servers, of which one is wiped now and then while the leader is cut off again and again. */
function runWithWipes(seed: number, wiped: WorldOptions['wiped']): Promise<SeedResult> {
  const { adjust } = profileOf('flap')
  const profile = {
    name: 'wipes',
    adjust: (...drawn: Parameters<typeof adjust>): WorldOptions => {
      const options = adjust(...drawn)
      const beatMs = options.configs[0]!.heartbeatTimeoutMs
      return {
        ...options,
        // Or the others would take no notice of it.
        configs: options.configs.map((config) => ({ ...config, verifyDisks: false })),
        wiped,
        losable: 'minority',
        spares: 0,
        rotAtRead: 0,
        meanDownMs: 20,
        ending: 'heal',
        intervals: { ...options.intervals, wipe: 3 * beatMs, 'bit rot': Infinity, ...NO_CHANGES },
      }
    },
  }
  const parts = { newMachine: () => new KvMachine(), workload: kvWorkload() }
  return runWorld(drawWorld(seed, profile, 3), parts)
}

describe('a server whose disk was wiped', () => {
  it('stays out, and nothing is lost', async () => {
    for (let seed = 1; seed <= 3; seed++) {
      const { violation, marks } = await runWithWipes(seed, 'stay out')
      expect(violation).toBeUndefined()
      expect(marks['a server that lost its disk stayed out']).toBeGreaterThan(0)
    }
  })

  it('breaks what the cluster promised when it comes back empty under its old id, and is caught', async () => {
    const found: string[] = []
    const isCaught = (): boolean => found.some((check) => BROKEN_PROMISES.includes(check))
    for (let seed = 1; seed <= 40 && !isCaught(); seed++) {
      const { violation } = await runWithWipes(seed, 'come back unknown')
      if (violation !== undefined) found.push(violation.check)
    }
    expect(isCaught()).toBe(true)
  })
})
