// Restores while servers are cut off and killed: whatever happens, the servers that run agree in the end.
import { afterEach, expect, it } from 'vitest'
import { seededRandom } from '../support/seeded-random.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
afterEach(() => cluster.stop())

const BACKUP = bytesOf('["restored"]')

/** The backup, after a while. */
async function* stream(delayMs: number): AsyncGenerator<Uint8Array> {
  await new Promise<void>((resolve) => cluster.clock.setTimer(delayMs, resolve))
  yield BACKUP
}

type Outcome = 'done' | 'not-committed' | 'unknown' | undefined

/** Restores on whoever leads; what came of it, once it is known. */
function restore(leader: Member, delayMs: number): { outcome: Outcome } {
  const told: { outcome: Outcome } = { outcome: undefined }
  leader.raft.restore({ version: 1, index: 7, size: BACKUP.length }, stream(delayMs)).then(
    () => (told.outcome = 'done'),
    (error: { readonly outcome: Outcome }) => (told.outcome = error.outcome),
  )
  return told
}

/** Commands, one after the other, until told to stop; those that were acknowledged. */
function writer(prefix: string): { readonly acknowledged: string[]; stop: () => void } {
  const acknowledged: string[] = []
  let isOver = false
  const next = (count: number): void => {
    if (isOver) return
    const leader = cluster.members.find(({ raft }) => raft.state === 'leader')
    const text = `${prefix}${count}`
    const again = (): void => void cluster.clock.setTimer(5, () => next(count + 1))
    if (leader === undefined) again()
    else
      leader.raft.apply(bytesOf(text)).then(() => {
        acknowledged.push(text)
        again()
      }, again)
  }
  next(0)
  return {
    acknowledged,
    stop: () => {
      isOver = true
    },
  }
}

it.each(Array.from({ length: 20 }, (_, at) => at + 1))(
  'the servers that run agree, and a restore that was confirmed stays (seed %i)',
  async (seed) => {
    const random = seededRandom(seed)
    const ids = seed % 2 === 0 ? ['a', 'b', 'c'] : ['a', 'b', 'c', 'd', 'e']
    cluster = await TestCluster.start({ ids, seed, config: { snapshotStallMs: 200 } })
    cluster.network.setFaults({ minDelayMs: 2, jitterMs: 8 })
    const old = await cluster.leader()
    const before = writer('before')
    await cluster.clock.advance(random.next() * 100)
    const restored = restore(old, random.next() * 20)
    for (let act = 0; act < 4; act++) {
      await cluster.clock.advance(random.next() * 40)
      const victim =
        random.next() < 0.5 ? old : cluster.members[Math.floor(random.next() * ids.length)]!
      if (random.next() < 0.6) cluster.network.isolate(victim.id)
      else if (victim.raft.state !== 'stopped') await cluster.restart(victim)
      if (random.next() < 0.5) cluster.network.heal()
    }
    await cluster.clock.advance(random.next() * 300)
    before.stop()
    cluster.network.heal()
    cluster.network.setFaults({})
    await cluster.clock.advance(2000)
    const running = cluster.members.filter(({ raft }) => raft.state !== 'stopped')
    expect(running.length).toBeGreaterThan(ids.length / 2)
    const leader = await cluster.leader(running)
    const after = writer('after')
    await cluster.clock.advance(100)
    after.stop()
    await cluster.clock.wait(leader.raft.apply(bytesOf('end')))
    await cluster.converged('end', running)
    const { texts } = leader.machine
    const isRestored = texts[0] === 'restored'
    // What `unknown` became, nobody promised.
    const promised = { done: true, 'not-committed': false, unknown: isRestored }
    expect(isRestored).toBe(promised[restored.outcome ?? 'unknown'])
    expect(texts.lastIndexOf('restored')).toBe(isRestored ? 0 : -1)
    // Without the restore nothing acknowledged is lost, with it nothing that came after it.
    const kept =
      texts[0] === 'restored' ? after.acknowledged : [...before.acknowledged, ...after.acknowledged]
    expect(kept.filter((text) => !texts.includes(text))).toEqual([])
    expect(new Set(texts).size).toBe(texts.length)
    // Who stopped had the restored state, and the cluster went on without it.
    const reasons = cluster.members
      .filter(({ raft }) => raft.state === 'stopped')
      .map(({ logger }) => logger.at('error').at(-1)?.fields['error'])
    expect(reasons.filter((reason) => !String(reason).includes('empty its stores'))).toEqual([])
  },
)
