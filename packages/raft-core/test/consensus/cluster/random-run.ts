// One random run of a cluster: everything that happens follows from the seed.
import { membersOf, type ServerId } from '@raftkit/interface/protocol'
import type { ConfigurationChange } from '@raftkit/raft-core/consensus'
import { Cluster } from './cluster.ts'
import { addressOf } from './entries.ts'
import type { Message } from './messages.ts'
import { recover } from './recovery.ts'
import type { SimulatedServer } from './simulated-server.ts'
import { testTiming } from './timing.ts'
import { drawAction, drawWeather, generator, pick, type Action, type Random } from './weather.ts'

export interface RunResult {
  readonly committed: number
  /** How often each effect was seen, and each role was taken up. */
  readonly counts: ReadonlyMap<string, number>
}

const STEPS = 1000
const CHANGES = [
  'add-voter',
  'stage-voter',
  'add-nonvoter',
  'demote-voter',
  'remove-server',
] as const

/** Runs one seed; throws when an invariant breaks or the cluster does not recover. */
export function runSeed(seed: number): RunResult {
  try {
    return new RandomRun(generator(seed)).run()
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    throw new Error(`seed ${seed}: ${message}\n(FIRST_SEED=${seed} SEEDS=1 runs it alone)`, {
      cause: error,
    })
  }
}

class RandomRun {
  readonly #random: Random
  readonly #cluster: Cluster
  readonly #draw: () => Action
  readonly #counts: Map<string, number> = new Map()
  readonly #kept: Message[] = []
  /** Ways that are cut, as `from>to`. */
  readonly #cuts: Set<string> = new Set()
  readonly #frozenDisks: Set<ServerId> = new Set()
  readonly #stalledDisks: Set<ServerId> = new Set()
  /** Share of changes of the membership that name several members. */
  readonly #plans: number
  #nextValue = 1
  #nextId = 1
  #changeId = 0

  constructor(random: Random) {
    this.#random = random
    const weather = drawWeather(random)
    this.#draw = () => drawAction(random, weather)
    const { voters, nonvoters, spares, timing, preVotes, plain, plans } = weather
    this.#plans = plans
    const name = (place: number): ServerId => `n${place + 1}`
    this.#cluster = new Cluster({
      voters: Array.from({ length: voters }, (_, place) => name(place)),
      nonvoters: Array.from({ length: nonvoters }, (_, place) => name(voters + place)),
      blank: Array.from({ length: spares }, (_, place) => name(voters + nonvoters + place)),
      timing,
      random,
      observe: (server, effect) => {
        this.#count(effect.type === 'role-changed' ? effect.role : effect.type)
        if (effect.type === 'append-configuration' && effect.configuration.next !== undefined)
          this.#count('joint')
        // A snapshot takes its time, and much may happen meanwhile.
        if (effect.type === 'install-snapshot' && random() < 0.5) this.#frozenDisks.add(server.id)
      },
    })
    for (const [id, server] of this.#cluster.servers) {
      this.#cluster.slowDisks.add(id)
      this.#cluster.timing.set(id, {
        ...this.#cluster.timing.get(id)!,
        preVote: random() < preVotes,
      })
      server.readsAtOnce = random() < 0.5
      server.stepsTogether = random() < 0.5
      if (random() < plain) this.#cluster.plain.add(id)
    }
  }

  run(): RunResult {
    const cluster = this.#cluster
    cluster.start()
    for (let step = 0; step < STEPS; step++) {
      this.#act(this.#draw())
      cluster.wake()
    }
    this.#endFaults()
    recover(cluster)
    return { committed: cluster.invariants.committedIndex, counts: this.#counts }
  }

  #act(action: Action): void {
    const { messages, servers } = this.#cluster
    switch (action) {
      case 'deliver':
        if (messages.length === 0) this.#awaitTimer()
        return this.#deliver(4, (waiting) => waiting[0])
      case 'deliver-any':
        return this.#deliver(4, (waiting) => this.#pick(waiting))
      case 'deliver-together': {
        const to = this.#pick(messages)?.to
        if (to !== undefined && !this.#isCutOff(to)) this.#cluster.deliverTogether(to)
        return
      }
      case 'lose':
        return this.#lose(this.#pick(messages))
      case 'duplicate':
        return this.#duplicate(this.#pick(messages))
      case 'keep':
        return this.#keep()
      case 'replay':
        return this.#duplicate(this.#pick(this.#kept))
      case 'cut':
        return this.#cutOff(this.#leaderOr(this.#pick([...servers.keys()])!, 0.5))
      case 'heal':
        this.#frozenDisks.clear()
        return this.#cuts.clear()
      case 'depose':
        return this.#depose()
      case 'pass-time':
        this.#cluster.now += this.#random() * (this.#random() < 0.8 ? 10 : 60)
        return
      default:
        return this.#actOn(this.#pick([...servers.values()])!, action)
    }
  }

  #actOn(server: SimulatedServer, action: Action): void {
    if (!server.isUp) {
      if (action === 'restart') server.start()
      return
    }
    const leader = this.#pick(this.#cluster.leaders()) ?? server
    switch (action) {
      case 'write':
        return this.#write(server, 4)
      case 'freeze-disk':
        this.#frozenDisks.add(this.#leaderOr(server.id, 0.5))
        return
      case 'read':
        return server.completeRead()
      case 'crash':
        return this.#crash(server)
      case 'snapshot':
        return server.takeSnapshot()
      case 'stall':
        return server.turn({ type: 'stalled', forMs: this.#random() * 40 })
      case 'storage-stall':
        return this.#stallStorage(server)
      case 'campaign':
        return this.#hurry(server)
      case 'propose':
        return this.#propose(leader)
      case 'ask-read':
        return this.#askRead(leader)
      case 'transfer':
        return this.#transfer(leader)
      case 'change-membership':
        return this.#changeMembership(leader)
      case 'give-up-change':
        return leader.turn({ type: 'change-withdrawn', changeId: this.#changeId })
      default:
    }
  }

  #deliver(most: number, choose: (messages: readonly Message[]) => Message | undefined): void {
    for (let count = this.#random() * most; count > 0; count--) {
      const message = choose(this.#cluster.messages)
      if (message === undefined) return
      const isCut = message.type !== 'failure' && this.#cuts.has(`${message.from}>${message.to}`)
      if (isCut) this.#lose(message)
      else this.#cluster.deliver(message)
    }
  }

  #isCutOff(id: ServerId): boolean {
    return [...this.#cuts].some((way) => way.endsWith(`>${id}`))
  }

  #lose(message: Message | undefined): void {
    if (message !== undefined && message.type !== 'failure') this.#cluster.lose(message)
  }

  #duplicate(message: Message | undefined): void {
    if (message !== undefined) this.#cluster.messages.push(message)
  }

  /** Keeps a message for much later; snapshots by preference, since they are rare. */
  #keep(): void {
    const { messages } = this.#cluster
    const snapshot = messages.find(
      (message) => message.type === 'request' && message.request.type === 'install-snapshot',
    )
    const message = snapshot ?? this.#pick(messages)
    if (message !== undefined && this.#kept.length < 50) this.#kept.push(message)
  }

  /** Cuts a server off: what it sends, what it is sent, or both. */
  #cutOff(id: ServerId): void {
    const kind = this.#random()
    for (const other of this.#cluster.servers.keys()) {
      if (kind < 0.7) this.#cuts.add(`${id}>${other}`)
      if (kind < 0.4 || kind >= 0.7) this.#cuts.add(`${other}>${id}`)
    }
  }

  /** Nothing is under way in the network: a disk gets on, or time passes until some timer fires. */
  #awaitTimer(): void {
    const servers = [...this.#cluster.servers.values()]
    const busy = servers.filter(
      ({ id, disk }) => disk.pending.length > 0 && !this.#frozenDisks.has(id),
    )
    if (busy.length > 0) return this.#write(this.#pick(busy)!, 1)
    const next = Math.min(...servers.map((server) => server.wakeAt))
    if (next < Infinity) this.#cluster.now = Math.max(this.#cluster.now, next)
  }

  #write(server: SimulatedServer, most: number): void {
    if (this.#frozenDisks.has(server.id)) return
    for (let count = this.#random() * most; count > 0; count--) server.completeWrite()
  }

  #crash(server: SimulatedServer): void {
    this.#cluster.crash(server.id)
    this.#stalledDisks.delete(server.id)
    if (this.#random() < 0.5) server.start()
  }

  /** As if the election timer of this server were the shortest. */
  #hurry(server: SimulatedServer): void {
    const cluster = this.#cluster
    cluster.now = Math.max(cluster.now, Math.min(server.wakeAt, cluster.now + 200))
    server.turn()
  }

  /**
   * The worst moment to lose a leader: it has new entries, some peers may have some of them, and it is cut off while
   * another server campaigns. It comes back with what it has.
   */
  #depose(): void {
    const leader = this.#pick(this.#cluster.leaders())
    if (leader === undefined) return
    if (this.#random() < 0.5) this.#cutOff(leader.id)
    this.#propose(leader)
    if (this.#random() < 0.3) this.#frozenDisks.add(leader.id)
    if (this.#random() < 0.5) this.#cutOff(leader.id)
    this.#write(leader, 4)
    this.#cluster.now += 2 * testTiming.heartbeatTimeoutMs
    const others = [...this.#cluster.servers.values()].filter(
      (other) => other !== leader && other.isUp,
    )
    this.#pick(others)?.turn()
  }

  #propose(leader: SimulatedServer): void {
    const count = 1 + Math.floor(this.#random() * 3)
    leader.propose(...Array.from({ length: count }, () => `value ${this.#nextValue++}`))
  }

  #askRead(leader: SimulatedServer): void {
    const readId = this.#nextId++
    this.#cluster.invariants.readRequested(leader, readId)
    leader.turn({ type: 'read-requested', readId, needsIndex: true })
  }

  #transfer(leader: SimulatedServer): void {
    const transferId = this.#nextId++
    const target = this.#random() < 0.5 ? undefined : this.#pick([...this.#cluster.servers.keys()])
    const request = { type: 'transfer-requested', transferId } as const
    leader.turn(target === undefined ? request : { ...request, target })
  }

  /** Mostly changes that can be made; sometimes two at once, or one that is refused. */
  #changeMembership(leader: SimulatedServer): void {
    for (let count = this.#random() < 0.3 ? 2 : 1; count > 0; count--) {
      // hashicorp/raft knows no plans.
      const isPlain = this.#cluster.plain.has(leader.id)
      const change =
        !isPlain && this.#random() < this.#plans ? this.#drawPlan(leader) : this.#drawChange()
      const { index } = leader.consensus.status().latest
      const prevIndex = this.#random() < 0.2 ? index : 0
      this.#changeId = this.#nextId++
      leader.turn({ type: 'change-requested', changeId: this.#changeId, change, prevIndex })
    }
  }

  #drawChange(): ConfigurationChange {
    const id = this.#pick([...this.#cluster.servers.keys()])!
    const type = this.#pick(CHANGES)!
    return type === 'demote-voter' || type === 'remove-server'
      ? { type, id }
      : { type, id, address: addressOf(id) }
  }

  /** Several members at once: those that are there lose or win their vote or go, others come. */
  #drawPlan(leader: SimulatedServer): ConfigurationChange {
    const ids = [...this.#cluster.servers.keys()]
    const by = this.#pick(ids)!
    if (this.#random() < 0.3)
      return {
        type: 'replace-server',
        id: this.#pick(ids)!,
        by: { id: by, address: addressOf(by) },
      }
    const members = membersOf(leader.consensus.status().latest.configuration)
    const lists: Record<'add' | 'promote' | 'demote' | 'remove', ServerId[]> = {
      add: [],
      promote: [],
      demote: [],
      remove: [],
    }
    for (const id of ids) {
      if (this.#random() < 0.5) continue
      const suffrage = members.find((member) => member.id === id)?.suffrage
      if (suffrage === undefined) lists.add.push(id)
      else if (this.#random() < 0.5) lists.remove.push(id)
      else lists[suffrage === 'voter' ? 'demote' : 'promote'].push(id)
    }
    const add = lists.add.map((id) => {
      const suffrage = this.#random() < 0.8 ? 'voter' : 'nonvoter'
      return { id, address: addressOf(id), suffrage } as const
    })
    return { type: 'change-membership', ...lists, add }
  }

  #stallStorage(server: SimulatedServer): void {
    const isStalled = this.#stalledDisks.delete(server.id)
    if (!isStalled) this.#stalledDisks.add(server.id)
    server.turn({ type: isStalled ? 'storage-recovered' : 'storage-stalled' })
  }

  #endFaults(): void {
    for (const server of this.#cluster.servers.values()) {
      server.readsAtOnce = true
      this.#cluster.slowDisks.delete(server.id)
      if (!server.isUp) server.start()
      if (this.#stalledDisks.has(server.id)) this.#stallStorage(server)
      while (server.completeWrite());
      server.turn()
    }
  }

  #leaderOr(id: ServerId, chance: number): ServerId {
    const leader = this.#random() < chance ? this.#pick(this.#cluster.leaders()) : undefined
    return leader?.id ?? id
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return pick(this.#random, items)
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }
}
