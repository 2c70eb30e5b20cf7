// The end of a run: the faults stop, and the cluster must get on by itself.
import { type Configuration, membersOf, type ServerId, type StateMachine } from '@raftkit/interface'
import { isQuorum, votersOf } from '../checks/quorums.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import { configurationsInPlay, isWhole } from './in-play.ts'
import type { World } from './world.ts'

/** Servers that must recover, and how long they may take. */
export interface Recovery<M extends StateMachine<R>, R> {
  /** A well-connected quorum, while other links stay cut; undefined when everything heals. */
  readonly core: readonly SimulatedServer<M, R>[] | undefined
  readonly untilMs: number
}

/** Election timeouts within which a healed cluster must have a leader, and every server everything. */
const BOUND_IN_TIMEOUTS = 40

/** Ends the faults as the seed wants it. Gives the servers that must recover. */
export function calmDown<M extends StateMachine<R>, R>(world: World<M, R>): Recovery<M, R> {
  world.endFaults()
  world.network.heal()
  const random = world.stream('ending')
  for (const server of world.servers) if (server.disk.image.isDamaged) server.giveUp()
  for (const server of world.servers) server.listenEverywhere()
  for (const { run } of world.servers) if (run?.process.aheadMs === 0) run.wake(0)
  const untilMs = world.time.now() + boundMs(world)
  const shuffled = world.servers
    .filter((server) => server.isHealthy)
    .map((server) => ({ server, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ server }) => server)
  const isBegun = world.committed.lastIndex > 0 || world.options.bootstrap === 'before'
  const isCore = world.options.ending === 'core' && world.memberServers.length > 2 && isBegun
  const core = isCore && isWhole(world) ? coreOf(world, shuffled) : undefined
  startAll(world, core ?? shuffled)
  if (core === undefined) return { core, untilMs }
  for (const server of world.servers.filter((other) => !core.includes(other)))
    if (random.chance(0.3)) server.crash('outside of the core')
    else {
      server.start()
      for (const other of world.servers) cutSomeWay(world, server, other, random.next())
    }
  return { core, untilMs }
}

/** Members start, and of the others those that would have run. */
function startAll<M extends StateMachine<R>, R>(
  world: World<M, R>,
  servers: readonly SimulatedServer<M, R>[],
): void {
  for (const server of servers) if (world.isMember(server.id)) server.start()
}

/**
 * As few of the servers, from the first on, as make a quorum of each configuration that may be in force, also when those
 * that catch up have got their votes.
 */
function coreOf<M extends StateMachine<R>, R>(
  world: World<M, R>,
  servers: readonly SimulatedServer<M, R>[],
): readonly SimulatedServer<M, R>[] {
  const present = configurationsInPlay(world)
  const isStaging = (id: ServerId): boolean =>
    present.some((configuration) =>
      membersOf(configuration).some((member) => member.id === id && member.suffrage === 'staging'),
    )
  const configurations = [...present, ...present.map(withVotesForStaged)]
  const core = servers.filter(({ id }) => isStaging(id))
  for (const server of servers) {
    const lacking = configurations.filter(
      (configuration) => !isQuorum(configuration, ({ id }) => core.some((one) => one.id === id)),
    )
    if (lacking.length === 0) break
    const isNeeded = lacking.some((configuration) =>
      votersOf(configuration).some(({ id }) => id === server.id),
    )
    if (isNeeded && !core.includes(server)) core.push(server)
  }
  return core
}

/** What comes after it: the half that a joint one ends with, and votes for those that are staged. */
function withVotesForStaged({ servers, next = servers }: Configuration): Configuration {
  return {
    servers: next.map((server) =>
      server.suffrage === 'staging' ? { ...server, suffrage: 'voter' } : server,
    ),
  }
}

function cutSomeWay<M extends StateMachine<R>, R>(
  { network }: World<M, R>,
  a: SimulatedServer<M, R>,
  b: SimulatedServer<M, R>,
  chance: number,
): void {
  if (a === b) return
  if (chance < 0.6) network.cutOneWay(a.addresses, b.addresses)
  if (chance > 0.4 && chance < 0.9) network.cutOneWay(b.addresses, a.addresses)
}

/** How long a cluster without faults may take until everybody has everything. */
export function boundMs<M extends StateMachine<R>, R>({ options }: World<M, R>): number {
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
  readonly untilMs: number
  readonly #hasRecovered: () => boolean
  #core: readonly SimulatedServer<M, R>[] | undefined
  #goal: number | undefined
  #askAgainAt = 0
  #lookAgainAt = 0

  /** `hasRecovered` tells whether what is around Raft has. */
  constructor(
    world: World<M, R>,
    recovery: Recovery<M, R>,
    hasRecovered: () => boolean = () => true,
  ) {
    this.#world = world
    this.#hasRecovered = hasRecovered
    this.#core = recovery.core
    this.untilMs = recovery.untilMs
  }

  /** Still only the core must serve. */
  get core(): readonly SimulatedServer<M, R>[] | undefined {
    return this.#core
  }

  /** Servers that must have everything in the end: the members, as far as their disks are whole. */
  get members(): readonly SimulatedServer<M, R>[] {
    return this.#world.memberServers.filter((server) => server.isHealthy)
  }

  /** Too many disks are lost: nothing can be expected but that the rest does nothing wrong. */
  get isHopeless(): boolean {
    return !isWhole(this.#world)
  }

  look(): boolean {
    const now = this.#world.time.now()
    if (now < this.#lookAgainAt) return false
    this.#lookAgainAt = now + this.#world.options.configs[0]!.heartbeatTimeoutMs / 50
    if (this.#goal === undefined) {
      if (this.isHopeless) return true
      this.#widen()
      this.#ask()
    }
    const goal = this.#goal
    if (goal === undefined) return false
    // Whoever calls one that stands still waits for it, a member or not.
    if (this.#world.servers.some(({ run }) => run?.process.isPaused === true)) return false
    if (!this.#hasRecovered()) return false
    return (
      this.#core !== undefined ||
      this.members.every(
        ({ raft, disk }) => (raft?.appliedIndex ?? 0) >= goal && disk.image.last.index >= goal,
      )
    )
  }

  get isOver(): boolean {
    return this.#world.time.now() > this.untilMs
  }

  /** A change that was under way may need other servers than the core: then all links heal. */
  #widen(): void {
    const core = this.#core
    if (core === undefined) return
    const isIn = ({ id }: { readonly id: ServerId }): boolean => core.some((one) => one.id === id)
    const { configuration } = this.#world.leader()?.raft?.configuration() ?? {}
    if (configuration === undefined || isQuorum(configuration, isIn)) return
    this.#core = undefined
    this.#world.trace.tell('world', 'heals: the configuration needs others')
    this.#world.network.heal()
    startAll(this.#world, this.#world.servers)
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
