// One random run of a cluster: everything that happens follows from the seed.
import type { ServerId } from '@raftkit/interface/protocol'
import type { ConsensusTiming } from '@raftkit/raft-core/consensus'
import { Cluster } from './cluster.ts'
import type { Message } from './messages.ts'
import type { SimulatedServer } from './simulated-server.ts'
import { testTiming } from './timing.ts'

export interface RunResult {
  readonly committed: number
  readonly counts: ReadonlyMap<string, number>
}

/** A small generator of uniform numbers in [0, 1) (mulberry32). */
export function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** What may go wrong in a run, as weights of the actions. Drawn from the seed, so that runs differ in kind. */
interface Weather {
  readonly weights: readonly (readonly [Action, number])[]
  readonly timing: Partial<ConsensusTiming>
  readonly voters: number
  readonly nonvoters: number
  readonly plain: boolean
}

type Action =
  | 'deliver'
  | 'deliver-any'
  | 'lose'
  | 'duplicate'
  | 'keep'
  | 'replay'
  | 'write'
  | 'read'
  | 'pass-time'
  | 'propose'
  | 'crash'
  | 'restart'
  | 'snapshot'
  | 'ask-read'
  | 'transfer'
  | 'isolate'
  | 'heal'
  | 'stall'
  | 'storage-stall'
  | 'campaign'
  | 'depose'

const STEPS = 1000

/** Runs one seed; throws when an invariant breaks or the cluster does not recover. */
export function runSeed(seed: number): RunResult {
  return new RandomRun(seed).run()
}

class RandomRun {
  readonly #random: () => number
  readonly #weather: Weather
  readonly #cluster: Cluster
  readonly #counts: Map<string, number> = new Map()
  readonly #kept: Message[] = []
  #isolated: Set<ServerId> = new Set()
  readonly #stalledDisks: Set<ServerId> = new Set()
  #nextValue = 1
  #nextId = 1

  constructor(seed: number) {
    this.#random = generator(seed)
    this.#weather = this.#drawWeather()
    const { voters, nonvoters, timing, plain } = this.#weather
    const name = (place: number): ServerId => `n${place + 1}`
    this.#cluster = new Cluster({
      voters: Array.from({ length: voters }, (_, place) => name(place)),
      nonvoters: Array.from({ length: nonvoters }, (_, place) => name(voters + place)),
      timing,
      random: () => this.#random(),
      observe: (_, effect) =>
        this.#count(effect.type === 'role-changed' ? effect.role : effect.type),
    })
    for (const [id, server] of this.#cluster.servers) {
      this.#cluster.slowDisks.add(id)
      server.readsAtOnce = this.#random() < 0.5
      if (plain && this.#random() < 0.5) this.#cluster.plain.add(id)
    }
  }

  run(): RunResult {
    this.#cluster.start()
    for (let step = 0; step < STEPS; step++) {
      this.#act(this.#drawAction())
      this.#wake()
    }
    this.#recover()
    return { committed: this.#cluster.invariants.committedIndex, counts: this.#counts }
  }

  #drawWeather(): Weather {
    const random = this.#random
    const often = (weight: number): number => (random() < 0.5 ? 0 : random() * weight)
    return {
      weights: [
        ['deliver', 40 + random() * 60],
        ['deliver-any', often(60)],
        ['lose', often(12)],
        ['duplicate', often(6)],
        ['keep', often(3)],
        ['replay', often(3)],
        ['write', 20 + random() * 60],
        ['read', 20],
        ['pass-time', 2 + random() * 8],
        ['propose', 2 + random() * 8],
        ['crash', often(3)],
        ['restart', 1 + random() * 3],
        ['snapshot', often(8)],
        ['ask-read', often(4)],
        ['transfer', often(1)],
        ['isolate', often(2)],
        ['heal', 0.1 + random() * 0.5],
        ['depose', often(2)],
        ['stall', often(0.5)],
        ['storage-stall', often(0.5)],
        ['campaign', often(1.5)],
      ],
      timing: {
        preVote: random() < 0.5,
        maxAppendEntries: 1 + Math.floor(random() * 5),
        maxInflightAppends: 1 + Math.floor(random() * 4),
        maxInflightBytes: random() < 0.3 ? 150 : 1_000_000,
        trailingLogs: Math.floor(random() * 4),
        maxLeaderStallMs: random() < 0.5 ? 10 : 1000,
      },
      voters: [1, 2, 3, 3, 3, 4, 5, 5][Math.floor(random() * 8)]!,
      nonvoters: random() < 0.3 ? 1 : 0,
      plain: random() < 0.3,
    }
  }

  #drawAction(): Action {
    const { weights } = this.#weather
    let rest = this.#random() * weights.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [action, weight] of weights) {
      rest -= weight
      if (rest < 0) return action
    }
    return 'deliver'
  }

  #act(action: Action): void {
    const cluster = this.#cluster
    switch (action) {
      case 'deliver':
        if (cluster.messages.length === 0) this.#awaitTimer()
        for (let count = this.#random() * 4; count > 0; count--) this.#deliver(cluster.messages[0])
        return
      case 'deliver-any':
        for (let count = this.#random() * 4; count > 0; count--)
          this.#deliver(this.#pick(cluster.messages))
        return
      case 'lose':
        return this.#lose(this.#pick(cluster.messages))
      case 'duplicate':
        return this.#duplicate(this.#pick(cluster.messages))
      case 'keep':
        return this.#keep(this.#pick(cluster.messages))
      case 'replay':
        return this.#duplicate(this.#pick(this.#kept))
      case 'pass-time':
        cluster.now += this.#random() < 0.8 ? this.#random() * 10 : this.#random() * 60
        return
      case 'heal':
        this.#isolated = new Set()
        return
      case 'depose':
        return this.#depose()
      default:
        return this.#actOn(this.#pick([...cluster.servers.values()])!, action)
    }
  }

  #actOn(server: SimulatedServer, action: Action): void {
    if (action === 'restart') {
      if (!server.isUp) server.start()
      return
    }
    if (!server.isUp) return
    switch (action) {
      case 'write':
        for (let count = 1 + this.#random() * 3; count >= 1; count--) server.completeWrite()
        break
      case 'read':
        server.completeRead()
        break
      case 'propose': {
        const target = this.#pick(this.#cluster.leaders()) ?? server
        const count = 1 + Math.floor(this.#random() * 3)
        target.propose(...Array.from({ length: count }, () => `value ${this.#nextValue++}`))
        break
      }
      case 'ask-read':
        this.#askRead(this.#pick(this.#cluster.leaders()) ?? server)
        break
      case 'transfer':
        this.#transfer(this.#pick(this.#cluster.leaders()) ?? server)
        break
      case 'isolate':
        this.#isolated.add(
          (this.#random() < 0.5 ? this.#pick(this.#cluster.leaders()) : undefined)?.id ?? server.id,
        )
        break
      case 'crash':
        this.#cluster.crash(server.id)
        this.#stalledDisks.delete(server.id)
        if (this.#random() < 0.5) server.start()
        break
      case 'snapshot':
        server.takeSnapshot()
        break
      case 'stall':
        server.turn({ type: 'stalled', forMs: this.#random() * 40 })
        break
      case 'storage-stall':
        this.#stallStorage(server)
        break
      case 'campaign':
        // As if the election timer were as short as can be.
        this.#cluster.now = Math.max(
          this.#cluster.now,
          Math.min(server.wakeAt, this.#cluster.now + 200),
        )
        server.turn()
        break
      default:
        throw new Error(`${action} is not about one server`)
    }
  }

  /**
   * The worst moment to lose a leader: it has new entries, some peers may have some of them, and it is cut off while
   * another server campaigns. It comes back with what it has.
   */
  #depose(): void {
    const leader = this.#pick(this.#cluster.leaders())
    if (leader === undefined) return
    this.#isolated.add(leader.id)
    const count = 1 + Math.floor(this.#random() * 3)
    leader.propose(...Array.from({ length: count }, () => `value ${this.#nextValue++}`))
    for (let writes = this.#random() * 4; writes > 0; writes--) leader.completeWrite()
    this.#cluster.now += 2 * testTiming.heartbeatTimeoutMs
    this.#pick(
      [...this.#cluster.servers.values()].filter((other) => other !== leader && other.isUp),
    )?.turn()
  }

  /** Nothing is under way in the network: a disk gets on, or time passes until some timer fires. */
  #awaitTimer(): void {
    const busy = [...this.#cluster.servers.values()].filter(
      (server) => server.disk.pending.length > 0,
    )
    if (busy.length > 0) {
      this.#pick(busy)!.completeWrite()
      return
    }
    let next = Infinity
    for (const server of this.#cluster.servers.values()) next = Math.min(next, server.wakeAt)
    if (next < Infinity) this.#cluster.now = Math.max(this.#cluster.now, next)
  }

  #askRead(server: SimulatedServer): void {
    const readId = this.#nextId++
    this.#cluster.invariants.readRequested(server, readId)
    server.turn({ type: 'read-requested', readId, needsIndex: true })
  }

  #transfer(server: SimulatedServer): void {
    const transferId = this.#nextId++
    const target = this.#random() < 0.5 ? undefined : this.#pick([...this.#cluster.servers.keys()])
    server.turn(
      target === undefined
        ? { type: 'transfer-requested', transferId }
        : { type: 'transfer-requested', transferId, target },
    )
  }

  #stallStorage(server: SimulatedServer): void {
    const isStalled = this.#stalledDisks.delete(server.id)
    if (!isStalled) this.#stalledDisks.add(server.id)
    server.turn({ type: isStalled ? 'storage-recovered' : 'storage-stalled' })
  }

  #deliver(message: Message | undefined): void {
    if (message === undefined) return
    const isCut = this.#isolated.has(message.from) !== this.#isolated.has(message.to)
    if (isCut && message.type !== 'failure') this.#lose(message)
    else this.#cluster.deliver(message)
  }

  #lose(message: Message | undefined): void {
    if (message !== undefined && message.type !== 'failure') this.#cluster.lose(message)
  }

  #duplicate(message: Message | undefined): void {
    if (message !== undefined) this.#cluster.messages.push(message)
  }

  #keep(message: Message | undefined): void {
    if (message !== undefined && this.#kept.length < 50) this.#kept.push(message)
  }

  /** Timers fire: servers whose wish has come end a turn. */
  #wake(): void {
    for (const server of this.#cluster.servers.values())
      if (server.isUp && server.wakeAt <= this.#cluster.now) server.turn()
  }

  /** The faults end. Within bounded time some leader commits something new, and all servers have it. */
  #recover(): void {
    const cluster = this.#cluster
    this.#isolated = new Set()
    for (const server of cluster.servers.values()) {
      server.readsAtOnce = true
      cluster.slowDisks.delete(server.id)
      if (!server.isUp) server.start()
      if (this.#stalledDisks.has(server.id)) this.#stallStorage(server)
      while (server.completeWrite());
      server.turn()
    }
    const until = cluster.now + 5000
    let goal: number | undefined
    let goalTerm: number | undefined
    while (cluster.now < until) {
      for (let count = 0; cluster.messages.length > 0 && count < 1000; count++)
        cluster.deliver(cluster.messages[0]!)
      const leader = cluster.leaders().at(-1)
      if (leader !== undefined && leader.consensus.status().term !== goalTerm) {
        leader.propose('the end')
        const { role, lastIndex, term } = leader.consensus.status()
        if (role === 'leader' && leader.log.get(lastIndex)?.value === 'the end')
          [goal, goalTerm] = [lastIndex, term]
      }
      if (goal !== undefined && this.#haveAll(goal)) return this.#checkRest()
      cluster.now += 2
      this.#wake()
    }
    throw new Error(`no progress within 5 s after the faults ended: ${this.#describe()}`)
  }

  #haveAll(index: number): boolean {
    for (const server of this.#cluster.servers.values())
      if (server.machine.index < index) return false
    return true
  }

  /** At rest nothing is left over: no answer owed, no window in use. */
  #checkRest(): void {
    const cluster = this.#cluster
    while (cluster.messages.length > 0) cluster.deliver(cluster.messages[0]!)
    for (const server of cluster.servers.values()) {
      if (server.unanswered.size > 0)
        throw new Error(`${server.id} owes ${server.unanswered.size} answers`)
      for (const peer of server.consensus.status().peers)
        if (peer.inflightAppends > 0 || peer.inflightBytes > 0)
          throw new Error(`${server.id} waits for ${peer.id} with nothing under way`)
    }
  }

  #describe(): string {
    return [...this.#cluster.servers.values()]
      .map((server) => {
        const { latest: _, committed: __, ...status } = server.consensus.status()
        return `${server.id} ${JSON.stringify(status)}`
      })
      .join('\n')
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)]
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }
}
