// A story: a cluster that the test moves by hand, and the transcript of what everyone did, compared with the file
// that is committed beside it. UPDATE_TRANSCRIPTS=1 writes the files anew.
import { readFileSync, writeFileSync } from 'node:fs'
import type { Configuration, Index, ServerId, Term } from '@raftkit/interface/protocol'
import type { ConfigurationChange, ConsensusTiming } from '@raftkit/raft-core/consensus'
import { Cluster } from '../cluster/cluster.ts'
import type { Message } from '../cluster/messages.ts'
import type { SimulatedEntry } from '../cluster/simulated-disk.ts'
import type { SimulatedServer } from '../cluster/simulated-server.ts'
import {
  isHeartbeat,
  tellChange,
  tellEffect,
  tellMembers,
  tellMessage,
  tellServer,
  tellWrite,
} from './narrator.ts'

export interface Cast {
  readonly voters: readonly ServerId[]
  readonly nonvoters?: readonly ServerId[]
  readonly blank?: readonly ServerId[]
  /** What each log holds after the configuration at index 1: terms, or a term with a configuration. */
  readonly logs?: Readonly<Record<ServerId, readonly (Term | LoggedConfiguration)[]>>
  readonly terms?: Readonly<Record<ServerId, Term>>
  readonly timing?: Partial<ConsensusTiming>
  /** Times of single servers. */
  readonly timings?: Readonly<Record<ServerId, Partial<ConsensusTiming>>>
  /** Tell of heartbeats too. */
  readonly heartbeats?: boolean
}

export interface LoggedConfiguration {
  readonly term: Term
  readonly configuration: Configuration
}

export class Story {
  readonly cluster: Cluster
  readonly #lines: string[] = []
  readonly #cut: Set<ServerId> = new Set()
  readonly #held: Set<string> = new Set()
  /** Sends that are heartbeats, to leave out their answers too. */
  readonly #heartbeats: Set<string> = new Set()
  /** Messages that were held for a while. */
  readonly #late: Set<Message> = new Set()
  #isQuiet = false
  #toldTime = 0
  #nextId = 1

  /** Election timeouts follow the names: that of n1 is the shortest. */
  constructor(title: string, cast: Cast) {
    this.#lines.push(title, '='.repeat(title.length))
    const ids = [...cast.voters, ...(cast.nonvoters ?? []), ...(cast.blank ?? [])]
    this.cluster = new Cluster({
      ...cast,
      logs: Object.fromEntries(
        Object.entries(cast.logs ?? {}).map(([id, log]) => [id, log.map(entryOf)]),
      ),
      random: (id) => ids.indexOf(id) / ids.length,
      observe: (server, effect) => this.#tell(tellEffect(server, effect)),
      onLeave: (message) => this.#left(message, cast.heartbeats ?? false),
      onDurable: (server, write) => {
        if (this.cluster.slowDisks.has(server.id)) this.#tell(tellWrite(server, write))
      },
    })
    for (const [id, timing] of Object.entries(cast.timings ?? {}))
      this.cluster.timing.set(id, { ...this.cluster.timing.get(id)!, ...timing })
    this.cluster.start()
  }

  server(id: ServerId): SimulatedServer {
    return this.cluster.server(id)
  }

  /** Prose between the events. */
  say(text: string): void {
    this.#lines.push('', text)
  }

  /** The state of every server. */
  show(): void {
    for (const server of this.cluster.servers.values()) this.#tell(tellServer(server))
  }

  /** The configurations that every server knows. */
  tellConfigurations(): void {
    for (const { id, consensus } of this.cluster.servers.values()) {
      const { latest, committed } = consensus.status()
      const members = tellMembers(latest.configuration)
      this.#tell(`${id}: configuration ${latest.index} (${members}), committed ${committed.index}`)
    }
  }

  /** Time passes until the election timeout of `id`, for that server alone. */
  timeout(id: ServerId): void {
    const server = this.server(id)
    const before = server.consensus.status().role
    for (let tries = 0; tries < 20; tries++) {
      this.cluster.now = Math.max(this.cluster.now, server.wakeAt)
      server.turn()
      const { role } = server.consensus.status()
      if (role !== before || role !== 'follower') return
    }
    throw new Error(`${id} does not campaign`)
  }

  /** Elects `id`, without a word about how. What its first entries lead to is left to the story. */
  elect(id: ServerId): void {
    this.#isQuiet = true
    this.timeout(id)
    this.#settleUntil(() => this.server(id).consensus.status().role === 'leader')
    this.#isQuiet = false
    this.#tell(`${id} is elected leader of term ${this.server(id).consensus.status().term}`)
  }

  /** Elects `id`, and lets everyone have and commit its no-op, without a word about how. */
  lead(id: ServerId): void {
    this.elect(id)
    this.#isQuiet = true
    this.pass(10)
    this.#isQuiet = false
  }

  /** Time passes; timers fire, and messages arrive in between. */
  pass(ms: number): void {
    const until = this.cluster.now + ms
    for (;;) {
      const next = Math.min(...[...this.cluster.servers.values()].map((server) => server.wakeAt))
      if (next > until) break
      this.cluster.now = Math.max(this.cluster.now, next)
      this.cluster.wake()
      this.settle()
    }
    this.cluster.now = until
    this.settle()
  }

  /** Delivers everything, also what it leads to; loses what is cut, leaves what is held. */
  settle(): void {
    this.#settleUntil(() => false)
  }

  /** Delivers everything until the log of `id` ends at `index` and the leader knows it. */
  settleUntilMatched(leader: ServerId, id: ServerId, index: Index): void {
    this.#settleUntil(() =>
      this.server(leader)
        .consensus.status()
        .peers.some((peer) => peer.id === id && peer.matchIndex >= index),
    )
  }

  /** A message under way, to be delivered once more later. */
  copy(from: ServerId, to: ServerId): Message {
    const message = this.cluster.messages.find((other) => other.from === from && other.to === to)
    if (message === undefined) throw new Error(`nothing is under way from ${from} to ${to}`)
    return message
  }

  /** A copy arrives. */
  deliverCopy(message: Message): void {
    this.#tell(`again: ${tellMessage(message)}`)
    this.server(message.to).receive(message)
  }

  /** Nothing from or to this server arrives. */
  cut(id: ServerId): void {
    this.#cut.add(id)
  }

  heal(): void {
    this.#cut.clear()
  }

  /** Messages on this way wait. */
  hold(from: ServerId, to: ServerId): void {
    this.#held.add(`${from}>${to}`)
  }

  release(from: ServerId, to: ServerId): void {
    this.#held.delete(`${from}>${to}`)
  }

  slowDisk(id: ServerId): void {
    this.cluster.slowDisks.add(id)
  }

  /** Writes get done: `count` of them, or all. */
  write(id: ServerId, count = Infinity): void {
    for (let done = 0; done < count && this.server(id).completeWrite(); done++);
  }

  crash(id: ServerId): void {
    this.cluster.crash(id)
    this.#tell(`${id} crashes`)
  }

  restart(id: ServerId): void {
    this.#tell(`${id} starts again`)
    this.server(id).start()
  }

  propose(id: ServerId, ...values: readonly string[]): void {
    this.server(id).propose(...values)
  }

  read(id: ServerId): void {
    const readId = this.#nextId++
    this.cluster.invariants.readRequested(this.server(id), readId)
    this.#tell(`a caller asks ${id} for read ${readId}`)
    this.server(id).turn({ type: 'read-requested', readId, needsIndex: true })
  }

  transfer(id: ServerId, target?: ServerId): void {
    const request = { type: 'transfer-requested', transferId: this.#nextId++ } as const
    this.#tell(`a caller asks ${id} to hand over to ${target ?? 'the best voter'}`)
    this.server(id).turn(target === undefined ? request : { ...request, target })
  }

  change(id: ServerId, change: ConfigurationChange, prevIndex: Index = 0): void {
    const changeId = this.#nextId++
    this.#tell(`a caller asks ${id} for change ${changeId}: ${tellChange(change)}`)
    this.server(id).turn({ type: 'change-requested', changeId, change, prevIndex })
  }

  withdraw(id: ServerId, changeId: number): void {
    this.#tell(`the caller of change ${changeId} waits no longer`)
    this.server(id).turn({ type: 'change-withdrawn', changeId })
  }

  /** The story as told, and as it is written in the transcript of this name. */
  end(name: string): { readonly told: string; readonly written: string } {
    const file = new URL(`transcripts/${name}.txt`, import.meta.url)
    const told = `${this.#lines.join('\n')}\n`
    if (process.env['UPDATE_TRANSCRIPTS'] === '1') writeFileSync(file, told)
    return { told, written: readFileSync(file, 'utf8') }
  }

  #settleUntil(isEnough: () => boolean): void {
    for (let count = 0; count < 10_000; count++) {
      if (isEnough()) return
      for (const message of this.cluster.messages)
        if (this.#held.has(wayOf(message))) this.#late.add(message)
      const message = this.cluster.messages.find((other) => !this.#held.has(wayOf(other)))
      if (message === undefined) return
      if (message.type !== 'failure' && (this.#cut.has(message.from) || this.#cut.has(message.to)))
        this.#lose(message)
      else this.#deliver(message)
    }
    throw new Error('the network does not come to rest')
  }

  #deliver(message: Message): void {
    if (this.#late.delete(message) && !this.#heartbeats.has(keyOf(message)))
      this.#tell(`arrives: ${tellMessage(message)}`)
    this.cluster.deliver(message)
  }

  #tell(line: string | undefined): void {
    if (line === undefined || this.#isQuiet) return
    if (this.cluster.now !== this.#toldTime) {
      this.#toldTime = this.cluster.now
      this.#lines.push(`  after ${Math.round(this.#toldTime)} ms`)
    }
    this.#lines.push(`    ${line}`)
  }

  #left(message: Message, withHeartbeats: boolean): void {
    if (!withHeartbeats) {
      if (isHeartbeat(message)) this.#heartbeats.add(keyOf(message))
      if (this.#heartbeats.has(keyOf(message))) return
    }
    this.#tell(tellMessage(message))
  }

  #lose(message: Message): void {
    this.cluster.lose(message)
    if (!this.#heartbeats.has(keyOf(message))) this.#tell(`lost: ${tellMessage(message)}`)
  }
}

function entryOf(logged: Term | LoggedConfiguration, place: number): SimulatedEntry {
  const index: Index = place + 2
  if (typeof logged === 'number') return { index, term: logged, value: `${index} of t${logged}` }
  const { term, configuration } = logged
  return {
    index,
    term,
    value: `configuration ${index} of t${term}`,
    configuration: { index, configuration },
  }
}

/** Names the call that a message belongs to. */
function keyOf(message: Message): string {
  return `${message.type === 'request' ? message.from : message.to}/${message.sendId}`
}

function wayOf({ from, to }: Message): string {
  return `${from}>${to}`
}
