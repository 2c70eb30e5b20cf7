// Whole servers, one of which shall lead.
import { afterEach, describe, expect, it } from 'vitest'
import { type ClusterOptions, type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

/** Ten election timeouts. */
const STEADY_MS = 1000

let cluster: TestCluster
async function start(
  leaderPriorities: Record<string, number>,
  options: ClusterOptions = {},
): Promise<void> {
  cluster = await TestCluster.start({ ...options, config: { leaderPriorities } })
}
afterEach(() => cluster.stop())

/** Counts the hand-overs of every server from now on. */
function countOffers(): { count: number; reasons: string[] } {
  const offers = { count: 0, reasons: [] as string[] }
  for (const { raft } of cluster.members)
    raft.on('leadership-offered', ({ reason }) => {
      offers.count++
      offers.reasons.push(reason)
    })
  return offers
}

function leads(id: string): Promise<true> {
  return cluster.clock.until(() => cluster.member(id).raft.state === 'leader' || undefined)
}

describe('a server of higher priority', () => {
  it.each(['a', 'b', 'c'])('leads in the end: %s', async (id) => {
    await start({ [id]: 1 })
    await cluster.leader()
    const offers = countOffers()
    await leads(id)
    await cluster.clock.advance(20 * STEADY_MS)
    expect(cluster.member(id).raft.state).toBe('leader')
    expect(offers.count).toBeLessThanOrEqual(1)
    for (const reason of offers.reasons) expect(reason).toBe(`${id} has priority 1, this server 0`)
  })

  it('takes over in the middle of commands, and none that was acknowledged is lost', async () => {
    await start({})
    const first = await cluster.leader()
    const [next] = cluster.others(first)
    for (const { raft } of cluster.members)
      raft.reloadConfig({ leaderPriorities: { [next!.id]: 5 } })
    const acknowledged: string[] = []
    for (let at = 0; next!.raft.state !== 'leader'; at++) {
      const text = `w${at}`
      const applied = first.raft.apply(bytesOf(text)).then(
        () => acknowledged.push(text),
        () => {},
      )
      await cluster.clock.advance(5)
      await cluster.clock.wait(applied)
    }
    expect(acknowledged.length).toBeGreaterThan(100)
    const leader = await cluster.leader()
    expect(leader.id).toBe(next!.id)
    expect(leader.machine.texts).toEqual(expect.arrayContaining(acknowledged))
  })

  it('leads again when it is back, and ever later when it keeps going away', async () => {
    await start({ a: 1 })
    await leads('a')
    const preferred = cluster.member('a')
    const waits: number[] = []
    for (let round = 0; round < 5; round++) {
      await cluster.kill(preferred)
      await cluster.leader(cluster.others(preferred))
      await cluster.restart(preferred)
      const from = cluster.clock.now()
      await cluster.clock.until(() => preferred.raft.state === 'leader', 200 * STEADY_MS)
      waits.push(cluster.clock.now() - from)
    }
    // Each of the two others counts by itself.
    expect(Math.max(...waits)).toBeGreaterThan(3 * STEADY_MS)
    expect(waits.at(-1)).toBeGreaterThan(waits[0]!)
  })
})

it('servers whose priorities contradict each other come to rest', async () => {
  await start({})
  const ids = cluster.members.map(({ id }) => id)
  for (const [place, { raft }] of cluster.members.entries())
    raft.reloadConfig({ leaderPriorities: { [ids[(place + 1) % ids.length]!]: 1 } })
  const offers = countOffers()
  await cluster.clock.advance(400 * STEADY_MS)
  expect(offers.count).toBeGreaterThan(1)
  expect(offers.count).toBeLessThanOrEqual(3 * ids.length)
  const before = offers.count
  const leader: Member = await cluster.leader()
  const term = leader.raft.currentTerm
  await cluster.clock.advance(300 * STEADY_MS)
  expect([offers.count, leader.raft.currentTerm]).toEqual([before, term])
})

it.each([[{ a: 0.5 }], [{ a: Number.NaN }], [[]], [7]])(
  'priorities that are none are refused: %j',
  async (leaderPriorities) => {
    await start({})
    const [{ raft }] = cluster.members as [Member]
    const before = raft.reloadableConfig()
    expect(() => raft.reloadConfig({ leaderPriorities } as object)).toThrow(/leaderPriorities/)
    expect(raft.reloadableConfig()).toEqual(before)
  },
)
