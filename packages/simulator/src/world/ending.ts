// The end of a run: the faults stop, and the cluster must get on by itself.
import type { StateMachine } from '@raftkit/interface'
import type { RaftStats } from '@raftkit/raft-core'
import { VAULT_ADDRESS } from '../network/vault.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from './world.ts'

/** Servers that must recover, and how long they may take. */
export interface Recovery<M extends StateMachine<R>, R> {
  readonly servers: readonly SimulatedServer<M, R>[]
  readonly untilMs: number
  /** Some links stay cut: then a leader may be out of reach for some server of the core, but the core must serve. */
  readonly isCore: boolean
  /** Too many servers lost their disks: nothing can be expected but that the rest does nothing wrong. */
  readonly isHopeless: boolean
}

/** Election timeouts within which a healed cluster must have a leader, and every server everything. */
const BOUND_IN_TIMEOUTS = 40

/** Ends the faults as the seed wants it. Gives the servers that must recover. */
export function calmDown<M extends StateMachine<R>, R>(world: World<M, R>): Recovery<M, R> {
  world.endFaults()
  world.network.heal()
  const random = world.stream('ending')
  const isCore = world.options.ending === 'core' && world.servers.length > 2
  const quorum = Math.floor(world.servers.length / 2) + 1
  for (const server of world.servers) if (server.disk.image.isDamaged) server.giveUp()
  const healthy = world.servers.filter(({ isLost }) => !isLost)
  const shuffled = healthy
    .map((server) => ({ server, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ server }) => server)
  const core = isCore ? shuffled.slice(0, quorum) : shuffled
  const outside = isCore ? shuffled.slice(quorum) : []
  for (const { run } of world.servers) if (run?.process.aheadMs === 0) run.wake(0)
  for (const server of core) server.start()
  for (const server of outside)
    if (random.chance(0.3)) server.crash('outside of the core')
    else {
      server.start()
      for (const other of world.servers) cutSomeWay(world, server.id, other.id, random.next())
    }
  const isHopeless = healthy.length < quorum
  return { servers: core, isCore, isHopeless, untilMs: world.time.now() + boundMs(world) }
}

function cutSomeWay<M extends StateMachine<R>, R>(
  { network }: World<M, R>,
  a: string,
  b: string,
  chance: number,
): void {
  if (a === b) return
  if (chance < 0.6) network.cutOneWay(a, b)
  if (chance > 0.4 && chance < 0.9) network.cutOneWay(b, a)
}

function boundMs<M extends StateMachine<R>, R>({ options }: World<M, R>): number {
  const configs = [...options.configs, ...options.otherConfigs]
  const longest = (name: 'electionTimeoutMs' | 'heartbeatTimeoutMs'): number =>
    Math.max(...configs.map((config) => config[name]))
  const { rpcTimeoutMs, snapshotStallMs, storageStallMs } = options.configs[0]!
  const slowestClock = Math.min(...options.clockRates)
  const timeouts =
    BOUND_IN_TIMEOUTS * Math.max(longest('heartbeatTimeoutMs'), longest('electionTimeoutMs'))
  const leftovers = 3 * (rpcTimeoutMs + 3 * snapshotStallMs + storageStallMs)
  const trouble = 5 * options.meanTroubleMs + 10 * (options.stallMs + options.slowApplyMs)
  return (timeouts + leftovers) / slowestClock + trouble + 10_000
}

/** True when one server leads, has committed something after the faults, and all others have applied it. */
export class RecoveryWatch<M extends StateMachine<R>, R> {
  readonly #world: World<M, R>
  readonly #recovery: Recovery<M, R>
  #goal: number | undefined
  #askAgainAt = 0

  constructor(world: World<M, R>, recovery: Recovery<M, R>) {
    this.#world = world
    this.#recovery = recovery
  }

  look(): boolean {
    const { servers, isCore, isHopeless } = this.#recovery
    if (isHopeless) return true
    if (this.#goal === undefined) this.#ask()
    const goal = this.#goal
    if (goal === undefined) return false
    return isCore || servers.every(({ raft }) => (raft?.appliedIndex ?? 0) >= goal)
  }

  get isOver(): boolean {
    return this.#world.time.now() > this.#recovery.untilMs
  }

  /** Asks the leader for a barrier; again a little after it failed, or when no answer comes at all. */
  #ask(): void {
    const { time, options } = this.#world
    const raft = this.#world.leader()?.raft
    if (raft === undefined || time.now() < this.#askAgainAt) return
    const { heartbeatTimeoutMs } = options.configs[0]!
    const again = time.now() + 10 * heartbeatTimeoutMs
    this.#askAgainAt = again
    raft.barrier({ timeoutMs: 4 * heartbeatTimeoutMs }).then(
      ({ index }) => {
        this.#goal ??= index
      },
      () => {
        if (this.#askAgainAt === again) this.#askAgainAt = time.now() + heartbeatTimeoutMs / 10
      },
    )
  }
}

/** What every server says of itself, one line each. */
export function describeServers<M extends StateMachine<R>, R>(world: World<M, R>): string {
  return world.servers
    .map(({ id, raft, isUp, run }) => {
      if (raft === undefined) return `${id} is ${isUp ? 'starting' : 'down'}`
      const stats = raft.stats()
      const peers = stats.peers.map(
        ({ id: peer, state, matchIndex, nextIndex, inflightAppends }) =>
          `${peer}: ${state} match ${matchIndex} next ${nextIndex} inflight ${inflightAppends}`,
      )
      return (
        `${id} ${stats.state}${run?.process.isPaused === true ? ' (paused)' : ''} term ${stats.term} leader ${raft.leader?.id} last ${stats.lastLogIndex}/${stats.lastLogTerm} ` +
        `commit ${stats.commitIndex} applied ${stats.appliedIndex} durable ${stats.durableIndex} snapshot ${stats.lastSnapshotIndex}` +
        `${peers.length > 0 ? `; ${peers.join('; ')}` : ''}`
      )
    })
    .join('\n')
}

/** Queues that must be empty on a server at rest. */
type RestingQueue =
  | 'pendingProposals'
  | 'pendingProposalBytes'
  | 'pendingReads'
  | 'pendingWrites'
  | 'heldMessages'

const AT_REST: readonly RestingQueue[] = [
  'pendingProposals',
  'pendingProposalBytes',
  'pendingReads',
  'pendingWrites',
  'heldMessages',
]

/** The part of a server's statistics that must be empty at rest. */
interface RestingStats extends Pick<RaftStats, RestingQueue> {
  readonly peers: readonly Pick<RaftStats['peers'][number], 'id' | 'inflightBytes'>[]
}

/** What {@link leftovers} looks at. */
interface AtRest {
  readonly id: string
  readonly raft: { stats(): RestingStats } | undefined
}

/** After everything has ended, nothing waits anywhere. Says what does. */
export function leftovers(servers: readonly AtRest[]): string[] {
  const found: string[] = []
  for (const { id, raft } of servers) {
    if (raft === undefined) continue
    const stats = raft.stats()
    for (const name of AT_REST)
      if (stats[name] !== 0) found.push(`${id}: ${name} is ${stats[name]}`)
    for (const { id: peer, inflightBytes } of stats.peers)
      if (inflightBytes !== 0 && servers.some((server) => server.id === peer))
        found.push(`${id}: ${inflightBytes} bytes are under way to ${peer}`)
  }
  return found
}

/** After every server was shut down, no connection is open and no address taken. Says what is. */
export function openEnds({
  openStreams,
  addresses,
}: {
  readonly openStreams: number
  readonly addresses: readonly string[]
}): string[] {
  const found = openStreams > 0 ? [`${openStreams} connections are still open`] : []
  // Old requests that come again have an address of their own, which outlives the servers.
  for (const address of addresses)
    if (address !== VAULT_ADDRESS) found.push(`${address} is still taken`)
  return found
}
