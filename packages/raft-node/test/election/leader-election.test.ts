import { setTimeout as sleep } from 'node:timers/promises'
import { silentLogger } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { InmemNetwork } from '@raftkit/transport-inmem'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startElection } from '../../src/election/start-election.ts'
import type { Leadership, LeaderElection, LeaderElectionOptions } from '../../src/index.ts'

const config = {
  heartbeatTimeoutMs: 400,
  electionTimeoutMs: 400,
  leaderLeaseTimeoutMs: 300,
  commitTimeoutMs: 10,
  rpcTimeoutMs: 300,
} as const

const peers = ['a:1', 'b:1', 'c:1']

let network: InmemNetwork
let members: Map<string, LeaderElection>
let stores: Map<string, InmemStore>

/** One period of leadership, as its callback saw it: when it began, and when its signal was aborted. */
interface Period {
  readonly address: string
  readonly leadership: Leadership
  readonly from: number
  to: number
}

let periods: Period[]
let wake: (() => void)[]

beforeEach(() => {
  network = new InmemNetwork()
  members = new Map()
  stores = new Map()
  periods = []
  wake = []
})

afterEach(async () => {
  network.heal()
  await Promise.all(
    [...members.values()].map((member) => member.stop({ transferLeadership: false })),
  )
})

async function start(
  address: string,
  options: Partial<LeaderElectionOptions> = {},
): Promise<LeaderElection> {
  const store = stores.get(address)?.reopen() ?? new InmemStore()
  stores.set(address, store)
  const { election: member } = await startElection(
    { address, peers, dataDir: 'unused', logger: silentLogger, config, ...options },
    async (_options, keep) => {
      const transport = network.transport(address)
      keep(transport)
      return {
        logStore: store,
        stableStore: store,
        snapshotStore: new InmemSnapshotStore(),
        transport,
      }
    },
  )
  members.set(address, member)
  member.onLeadership((leadership) => {
    const period: Period = { address, leadership, from: performance.now(), to: Infinity }
    leadership.signal.addEventListener('abort', () => (period.to = performance.now()))
    periods.push(period)
    for (const call of wake.splice(0)) call()
  })
  return member
}

const startAll = (options: Partial<LeaderElectionOptions> = {}): Promise<LeaderElection[]> =>
  Promise.all(peers.map((address) => start(address, options)))

/** The first period that fits, now or later. */
async function period(fits: (period: Period) => boolean = () => true): Promise<Period> {
  for (;;) {
    const found = periods.find(fits)
    if (found !== undefined) return found
    await new Promise<void>((resolve) => wake.push(resolve))
  }
}

/** No two members lead at a time, and every token is higher than those before. */
function expectExclusive(): void {
  for (const [i, next] of periods.entries()) {
    const before = periods[i - 1]
    if (before === undefined) continue
    expect(before.to).toBeLessThanOrEqual(next.from)
    expect(before.leadership.fencingToken).toBeLessThan(next.leadership.fencingToken)
  }
}

describe('createLeaderElection', () => {
  it('elects one leader, whom all know', async () => {
    const patient = { heartbeatTimeoutMs: 900, electionTimeoutMs: 900, leaderLeaseTimeoutMs: 700 }
    const all = await startAll({ config: { ...config, ...patient } })
    const { address, leadership } = await period()
    expect(all.filter((member) => member.isLeader).map((member) => member.address)).toEqual([
      address,
    ])
    expect(Number.isSafeInteger(leadership.fencingToken)).toBe(true)
    expect(leadership.signal.aborted).toBe(false)
    expect(members.get(address)!.leaderAddress).toBe(address)
  })

  it('aborts the signal of a leader that is cut off before another one leads', async () => {
    await startAll()
    const first = await period()
    network.isolate(first.address)
    const second = await period(({ address }) => address !== first.address)
    expect(first.leadership.signal.aborted).toBe(true)
    expect(members.get(first.address)!.isLeader).toBe(false)
    expect(second.leadership.term).toBeGreaterThan(first.leadership.term)
    expectExclusive()
  })

  it('ends the work of a leader that stops before it hands over', async () => {
    await startAll()
    const first = await period()
    const leader = members.get(first.address)!
    const order: string[] = []
    leader.onLeadership(async ({ signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      order.push('told')
      await sleep(50)
      order.push(`settled, ${periods.length} periods so far`)
    })
    await sleep(0)
    await leader.stop()
    expect(order).toEqual(['told', 'settled, 1 periods so far'])
    const second = await period(({ address }) => address !== first.address)
    expect(second.leadership.term).toBe(first.leadership.term + 1)
    expectExclusive()
  })

  it('does not hand over while the work goes on', async () => {
    await startAll()
    const first = await period()
    const leader = members.get(first.address)!
    leader.onLeadership(() => new Promise(() => {}))
    await sleep(0)
    await leader.stop({ timeoutMs: 30 })
    const second = await period(({ address }) => address !== first.address)
    // An election takes a heartbeat timeout at least; a hand-over does not.
    expect(second.from - first.to).toBeGreaterThan(config.heartbeatTimeoutMs / 2)
    expectExclusive()
  })

  it('gives a higher token after a restart of all', async () => {
    await startAll()
    const first = await period()
    await Promise.all(
      [...members.values()].map((member) => member.stop({ transferLeadership: false })),
    )
    await startAll()
    const second = await period((one) => one !== first)
    expect(second.leadership.fencingToken).toBeGreaterThan(first.leadership.fencingToken)
  })

  it('has the signal aborted for the code after a stall, and goes on with a new token', async () => {
    await startAll()
    const first = await period()
    const { signal } = first.leadership
    const end = performance.now() + 2 * config.leaderLeaseTimeoutMs
    while (performance.now() < end);
    expect(signal.aborted).toBe(true)
    expect(members.get(first.address)!.isLeader).toBe(false)
    await period((one) => one !== first)
    expectExclusive()
  })

  it(
    'never has two leaders while links break and event loops stall',
    { timeout: 60_000 },
    async () => {
      await startAll()
      for (let round = 0; round < 6; round += 1) {
        const count = periods.length
        const { address } = await period((one) => one.to === Infinity || periods.length > count)
        const others = peers.filter((other) => other !== address)
        if (round % 4 === 0) network.isolate(address)
        else if (round % 4 === 1) network.cutOneWay(address, others)
        else if (round % 4 === 2) for (const other of others) network.cutOneWay(other, address)
        else {
          const end = performance.now() + 350
          while (performance.now() < end);
        }
        await sleep(900)
        network.heal()
        await sleep(100)
      }
      expectExclusive()
      expect(new Set(periods.map(({ leadership }) => leadership.term)).size).toBeGreaterThan(2)
    },
  )

  it.each([
    [{ leaderLeaseTimeoutMs: 321 }, '0.8 × heartbeatTimeoutMs'],
    [{ heartbeatTimeoutMs: 374 }, '0.8 × heartbeatTimeoutMs'],
  ])('refuses a lease that leaves no margin: %o', async (wrong, said) => {
    await expect(start('a:1', { config: { ...config, ...wrong } })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
      message: expect.stringContaining(said) as string,
    })
    expect(network.addresses).toEqual([])
  })

  it('refuses a preferred leader: nobody ends the work of a leader that hands over by itself', async () => {
    const wrong = { ...config, leaderPriorities: { 'b:1': 1 } }
    await expect(start('a:1', { config: wrong })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
      message: expect.stringContaining('leaderPriorities') as string,
    })
    expect(network.addresses).toEqual([])
  })

  it('stops once, however often it is asked', async () => {
    const member = await start('a:1', { peers: ['a:1'] })
    await period()
    const stopped = member.stop()
    expect(member.stop()).toBe(stopped)
    await Promise.all([stopped, member[Symbol.asyncDispose]()])
    expect(periods[0]!.leadership.signal.aborted).toBe(true)
  })
})
