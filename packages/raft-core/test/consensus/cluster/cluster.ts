// Several simulated servers and the network between them. Nothing moves unless the test moves it.
import type { ServerId, Term } from '@raftkit/interface/protocol'
import type { ConsensusTiming, Effect } from '@raftkit/raft-core/consensus'
import { Invariants } from './invariants.ts'
import type { Message } from './messages.ts'
import type { SimulatedEntry, Write } from './simulated-disk.ts'
import { configurationOf } from './entries.ts'
import { SimulatedServer } from './simulated-server.ts'
import type { Surroundings } from './surroundings.ts'
import { testTiming } from './timing.ts'

export interface ClusterOptions {
  readonly voters: readonly ServerId[]
  readonly nonvoters?: readonly ServerId[]
  /** Servers that start without a configuration. */
  readonly blank?: readonly ServerId[]
  /** Entries after the first that servers start with, by id. */
  readonly logs?: Readonly<Record<ServerId, readonly SimulatedEntry[]>>
  /** Terms that servers start in; 1 unless their log says more. */
  readonly terms?: Readonly<Record<ServerId, Term>>
  readonly timing?: Partial<ConsensusTiming>
  readonly random: (id: ServerId) => number
  readonly observe?: (server: SimulatedServer, effect: Effect) => void
  readonly onLeave?: (message: Message) => void
  readonly onDurable?: (server: SimulatedServer, write: Write) => void
}

export class Cluster {
  now = 0
  readonly servers: Map<ServerId, SimulatedServer> = new Map()
  /** Messages under way, oldest first. */
  messages: Message[] = []
  readonly invariants: Invariants
  /** Disks that complete writes only when told. */
  readonly slowDisks: Set<ServerId> = new Set()
  /** Servers that speak like hashicorp/raft. */
  readonly plain: Set<ServerId> = new Set()
  readonly timing: Map<ServerId, ConsensusTiming> = new Map()
  readonly #options: ClusterOptions

  constructor(options: ClusterOptions) {
    this.#options = options
    this.invariants = new Invariants(this.servers, (id) => this.plain.has(id))
    const { voters, nonvoters = [], blank = [] } = options
    const configuration = configurationOf(voters, nonvoters)
    const first: SimulatedEntry = {
      index: 1,
      term: 1,
      value: 'configuration',
      configuration: { configuration, index: 1 },
    }
    for (const id of [...voters, ...nonvoters, ...blank]) {
      this.timing.set(id, { ...testTiming, ...options.timing })
      const server = new SimulatedServer(id, this.#surroundings(id))
      this.servers.set(id, server)
      if (blank.includes(id)) continue
      const entries = [first, ...(options.logs?.[id] ?? [])]
      for (const entry of entries) server.disk.entries.set(entry.index, entry)
      server.disk.hardState = { term: options.terms?.[id] ?? entries.at(-1)!.term }
      this.invariants.appended(entries, 0)
    }
    this.invariants.bootstrapped(first)
  }

  /** The server with this id. */
  server(id: ServerId): SimulatedServer {
    const server = this.servers.get(id)
    if (server === undefined) throw new Error(`there is no server ${id}`)
    return server
  }

  start(): void {
    for (const server of this.servers.values()) server.start()
  }

  /** Takes a message off the network and hands it over. */
  deliver(message: Message): void {
    const server = this.server(message.to)
    if (!server.isUp) this.lose(message)
    else {
      this.messages = this.messages.filter((other) => other !== message)
      server.receive(message)
    }
  }

  /** Hands a server everything that is under way to it at once. */
  deliverTogether(id: ServerId): void {
    const server = this.server(id)
    const messages = this.messages.filter(({ to }) => to === id)
    if (!server.isUp) for (const message of messages) this.lose(message)
    else {
      this.messages = this.messages.filter(({ to }) => to !== id)
      server.receive(...messages)
    }
  }

  /** Power is lost at a server: whoever waits for its answers hears that none will come. */
  crash(id: ServerId): void {
    const server = this.server(id)
    for (const request of server.unanswered.values()) this.messages.push(failureOf(request)!)
    server.unanswered.clear()
    server.crash()
  }

  /** Loses a message. The sender of a request is told that there will be no answer. */
  lose(message: Message): void {
    const failure = failureOf(message)
    if (failure === undefined) this.messages = this.messages.filter((other) => other !== message)
    else this.messages = this.messages.map((other) => (other === message ? failure : other))
  }

  /** Timers fire: servers whose wish has come end a turn, and must wish again. */
  wake(): void {
    for (const server of this.servers.values()) {
      if (!server.isUp || server.wakeAt > this.now) continue
      server.turn()
      if (!(server.wakeAt > this.now) || server.wakeAt === Infinity)
        throw new Error(`${server.id} asks to be woken at ${server.wakeAt}, now is ${this.now}`)
    }
  }

  /** Every server that leads, by its own opinion. */
  leaders(): SimulatedServer[] {
    return [...this.servers.values()].filter(
      (server) => server.isUp && server.consensus.status().role === 'leader',
    )
  }

  #surroundings(id: ServerId): Surroundings {
    return {
      now: () => this.now,
      random: () => this.#options.random(id),
      send: (message, answers) => {
        this.invariants.left(message, answers)
        this.#options.onLeave?.(message)
        this.messages.push(message)
      },
      appended: (entries, previousTerm) => this.invariants.appended(entries, previousTerm),
      installed: (server) => this.invariants.installed(server),
      observe: (server, effect, decidedAs) => {
        this.invariants.observe(server, effect, decidedAs)
        this.#options.observe?.(server, effect)
      },
      timing: () => this.timing.get(id)!,
      isDiskFast: () => !this.slowDisks.has(id),
      durable: (server, write) => this.#options.onDurable?.(server, write),
      isRaftkit: () => !this.plain.has(id),
    }
  }
}

/** What the caller of a lost message hears; undefined when nobody waits for it. */
function failureOf(message: Message): Message | undefined {
  const { sendId, run } = message
  const waiting = { type: 'failure', sendId, run, failure: 'unreachable' } as const
  switch (message.type) {
    case 'request':
      return { ...waiting, from: message.to, to: message.from }
    case 'answer':
      return { ...waiting, from: message.from, to: message.to }
    case 'failure':
      return undefined
  }
}
