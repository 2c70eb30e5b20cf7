// After a disaster the survivors hold everything; and somebody notices when they do not.
import { describe, expect, it } from 'vitest'
import { recoverCluster } from '@raftkit/raft-core'
import { KvMachine } from '../../src/workload/kv-machine.ts'
import { kvWorkload } from '../../src/workload/kv-workload.ts'
import { profileOf } from '../../src/world/profiles.ts'
import type { SeedResult } from '../../src/world/seed-result.ts'
import { runWorld } from '../../src/world/run-world.ts'
import { drawWorld } from '../../src/world/swarm.ts'

type Recover = typeof recoverCluster

/** Five servers with few faults, and a disaster at the end. */
function runDisaster(recover: Recover = recoverCluster): Promise<SeedResult> {
  const drawn = drawWorld(1, profileOf('calm'), 5)
  const options = { ...drawn, durationMs: 3000, ending: 'heal' as const, disaster: true }
  return runWorld(options, {
    newMachine: () => new KvMachine(),
    workload: kvWorkload(),
    recoverCluster: recover,
  })
}

/** Recovers as if the log ended one entry earlier. */
const withoutTheLast: Recover = async (options) => {
  const { logStore } = options
  const { lastIndex } = await logStore.bounds()
  return recoverCluster({
    ...options,
    logStore: {
      bounds: async () => ({ ...(await logStore.bounds()), lastIndex: lastIndex - 1 }),
      read: (from, to, limits) => logStore.read(from, to, limits),
      append: (...entries) => logStore.append(...entries),
      truncateSuffix: (from) => logStore.truncateSuffix(from),
      truncatePrefix: () => logStore.truncatePrefix(lastIndex),
      close: () => logStore.close(),
    },
  })
}

/** Recovers an empty state in place of the one that was there. */
const withoutState: Recover = (options) =>
  recoverCluster({
    ...options,
    stateMachine: {
      apply: (entry) => options.stateMachine.apply(entry),
      restore: (state) => options.stateMachine.restore(state),
      snapshot: async () => ({
        persist: async (writer) => {
          await writer.write(new Uint8Array(16))
          const empty = new KvMachine().snapshot()
          await empty.persist(writer)
        },
      }),
    },
  })

/** Keeps everybody in the configuration, the lost too. */
const withoutConfiguration: Recover = (options) =>
  recoverCluster({
    ...options,
    configuration: drawnServers(),
  })

function drawnServers(): Parameters<Recover>[0]['configuration'] {
  const ids = ['n1', 'n2', 'n3', 'n4', 'n5']
  return { servers: ids.map((id) => ({ suffrage: 'voter', id, address: id })) }
}

describe('a cluster that lost a majority of its disks', () => {
  it('goes on with what it had when its survivors are recovered by force', async () => {
    const { violation, marks } = await runDisaster()
    expect(violation).toBeUndefined()
    expect(marks['a cluster was recovered by its survivors']).toBe(1)
  })

  it('gives the same run again', async () => {
    const [one, other] = [await runDisaster(), await runDisaster()]
    expect(one.traceHash).toBe(other.traceHash)
  })

  it.each([
    ['the last entry', withoutTheLast, 'acknowledged stays'],
    ['the state', withoutState, 'acknowledged stays'],
    ['the configuration', withoutConfiguration, 'no server breaks'],
    ['to end', () => new Promise<never>(() => {}), 'every promise settles'],
    ['to work', () => Promise.reject(new Error('it cannot')), 'no server breaks'],
  ] satisfies [string, Recover, string][])(
    'fails the run when the recovery forgets %s',
    async (_, recover, check) => {
      const { violation } = await runDisaster(recover)
      expect(violation?.check).toBe(check)
    },
  )
})
