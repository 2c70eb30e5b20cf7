// One server around a real Consensus: a log in memory, a slow disk, a state machine. It carries effects out in
// their order, as the runtime must, and never delays or hurries anything by itself.
import type { Index, ServerId } from '@raftkit/interface/protocol'
import { Consensus, type ConsensusEvent, type Effect } from '@raftkit/raft-core/consensus'
import { addressOf, applyEntry, configurationsOf, runsOf } from './entries.ts'
import type { Message, RequestMessage } from './messages.ts'
import { Outbox } from './outbox.ts'
import {
  SimulatedDisk,
  type MachineState,
  type SimulatedEntry,
  type Write,
} from './simulated-disk.ts'
import type { Standing, Surroundings } from './surroundings.ts'

export class SimulatedServer {
  readonly id: ServerId
  readonly disk: SimulatedDisk = new SimulatedDisk()
  consensus!: Consensus
  isUp = false
  run = 0
  /** The log in memory: everything appended, durable or not. */
  log: Map<Index, SimulatedEntry> = new Map()
  machine!: MachineState
  wakeAt: number = Infinity
  /** Commands admitted and not yet appended. */
  admitted: string[] = []
  reads: {
    readonly readId: number
    readonly peer: ServerId
    readonly from: Index
    readonly to: Index
  }[] = []
  /** Received requests that were not answered yet. */
  readonly unanswered: Map<number, RequestMessage> = new Map()
  /** True when all events of a turn are stepped before the first effect is carried out. */
  stepsTogether = false
  /** True while `read-entries` is answered in the same turn. */
  readsAtOnce = true
  readonly #around: Surroundings
  #outbox: Outbox
  #nextRequestId = 1
  #queue: ConsensusEvent[] = []
  #isStepping = false
  /** Role and configuration when an effect was decided, and term after that step. */
  readonly #decidedAs: WeakMap<Effect, Standing> = new WeakMap()

  constructor(id: ServerId, around: Surroundings) {
    this.id = id
    this.#around = around
    this.#outbox = new Outbox(this, around)
  }

  /** Starts from what is on disk. */
  start(): void {
    const { disk } = this
    this.isUp = true
    this.run++
    this.log = new Map(disk.entries)
    this.machine = disk.snapshot
    this.admitted = []
    this.reads = []
    this.unanswered.clear()
    this.#outbox = new Outbox(this, this.#around)
    this.#queue = []
    this.consensus = new Consensus(
      {
        self: { id: this.id, address: addressOf(this.id) },
        hardState: disk.hardState,
        mayHaveHeardLeader: disk.hardState.term > 1,
        snapshot: { index: disk.snapshot.index, term: disk.snapshot.term },
        logFirstIndex: disk.firstIndex,
        lastIndex: disk.entries.size === 0 ? disk.snapshot.index : disk.lastIndex,
        runs: runsOf([...disk.entries.values()]),
        configurations: configurationsOf(disk),
        now: this.#around.now(),
        random: this.#around.random(),
      },
      this.#around.timing(this.id),
    )
    this.step({ type: 'turn-ended' })
  }

  /** Power is lost: only what is durable remains. */
  crash(): void {
    this.isUp = false
    this.wakeAt = Infinity
    this.disk.crash()
  }

  /** Steps events that came together, then ends the turn. */
  turn(...events: readonly ConsensusEvent[]): void {
    this.step(...events, { type: 'turn-ended' })
  }

  /** Admits commands. */
  propose(...values: readonly string[]): void {
    this.admitted.push(...values)
    this.turn({ type: 'proposed', count: values.length })
  }

  /** Takes messages from the network that arrived together. */
  receive(...messages: readonly Message[]): void {
    if (!this.isUp) return
    const events = messages.map((message) => this.#eventFor(message))
    this.turn(...events.filter((event) => event !== undefined))
  }

  /** Makes the oldest write durable, and says so to consensus. False when there is none. */
  completeWrite(): boolean {
    const write = this.disk.complete()
    if (write === undefined) return false
    this.#around.durable(this, write)
    const event = this.#eventOf(write)
    if (event !== undefined) this.turn(event)
    this.#outbox.openGates()
    return true
  }

  /** Answers the oldest `read-entries`. */
  completeRead(): void {
    const read = this.reads.shift()
    if (read === undefined) return
    const entries: SimulatedEntry[] = []
    for (let index = read.from; index <= read.to; index++) {
      const entry = this.log.get(index)
      if (entry === undefined) break
      entries.push(entry)
    }
    const { readId, peer, from } = read
    if (entries.length === 0) {
      this.step({ type: 'entries-unavailable', peer, readId, reason: 'compacted' })
      return
    }
    this.#outbox.hold(readId, entries)
    const to = from + entries.length - 1
    this.step({ type: 'entries-read', peer, readId, from, to, bytes: entries.length * 100 })
  }

  /** Saves a snapshot of the state machine, when there is something new. */
  takeSnapshot(): void {
    if (this.machine.index > this.disk.snapshot.index)
      this.#write({ type: 'save-snapshot', state: this.machine })
  }

  /** Steps events. What they cause at once (reads, applied) is stepped after them, in order. */
  step(...events: readonly ConsensusEvent[]): void {
    this.#queue.push(...events)
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      while (this.#queue.length > 0) {
        const batch = this.#queue.splice(0, this.stepsTogether ? Infinity : 1)
        for (const effect of batch.flatMap((event) => this.#decide(event))) this.#carryOut(effect)
      }
    } finally {
      this.#isStepping = false
    }
    while (this.readsAtOnce && this.reads.length > 0) this.completeRead()
    while (this.isUp && this.#around.isDiskFast(this.id) && this.completeWrite());
  }

  #decide(event: ConsensusEvent): readonly Effect[] {
    const moment = { now: this.#around.now(), random: this.#around.random() }
    let { role, latest } = this.consensus.status()
    const effects = this.consensus.step(event, moment)
    const { term } = this.consensus.status()
    for (const effect of effects) {
      if (effect.type === 'role-changed') role = effect.role
      else if (effect.type === 'configuration-changed') latest = effect.latest
      this.#decidedAs.set(effect, { role, term, latest })
    }
    return effects
  }

  #eventFor(message: Message): ConsensusEvent | undefined {
    if (message.type === 'request') {
      const requestId = this.#nextRequestId++
      this.unanswered.set(requestId, message)
      return { type: 'received', requestId, request: message.request }
    }
    // The answer to a request of an earlier life.
    if (message.run !== this.run) return undefined
    const { from: peer, sendId } = message
    return message.type === 'answer'
      ? { type: 'answered', peer, sendId, answer: message.answer, isRaftkit: message.isRaftkit }
      : { type: 'send-failed', peer, sendId, failure: message.failure }
  }

  #carryOut(effect: Effect): void {
    this.#around.observe(this, effect, this.#decidedAs.get(effect)!)
    switch (effect.type) {
      case 'save-hard-state':
        this.#write({ type: 'hard-state', sequence: effect.sequence, hardState: effect.hardState })
        break
      case 'append-noop':
        this.#append([
          { index: effect.index, term: effect.term, value: `no-op of term ${effect.term}` },
        ])
        break
      case 'append-configuration': {
        const { index, term, configuration } = effect
        const value = `configuration ${index} of t${term}`
        this.#append([{ index, term, value, configuration: { configuration, index } }])
        break
      }
      case 'append-proposals':
        this.#append(
          this.admitted.splice(0, effect.count).map((value, place) => ({
            index: effect.firstIndex + place,
            term: effect.term,
            value,
          })),
        )
        break
      case 'proposals-refused':
        this.admitted.splice(0, effect.count)
        break
      case 'append-received': {
        const { entries } = this.unanswered.get(effect.requestId)!
        this.#append(entries.filter(({ index }) => index >= effect.from && index <= effect.to))
        break
      }
      case 'truncate-log':
        for (const index of this.log.keys()) if (index >= effect.from) this.log.delete(index)
        this.#write({ type: 'truncate', from: effect.from })
        break
      case 'compact-log':
        for (const index of this.log.keys()) if (index <= effect.to) this.log.delete(index)
        this.#write({ type: 'compact', to: effect.to })
        break
      case 'read-entries':
        this.reads = this.reads.filter((read) => read.peer !== effect.peer)
        this.reads.push({
          readId: effect.readId,
          peer: effect.peer,
          from: effect.from,
          to: effect.to,
        })
        break
      case 'commit':
        this.#applyUpTo(effect.index)
        break
      case 'install-snapshot':
        this.#install(effect.requestId, effect.keepLogAfter)
        break
      case 'wake-at':
        this.wakeAt = effect.time
        break
      case 'send':
        this.#outbox.send(effect)
        break
      case 'send-entries':
        this.#outbox.sendEntries(effect)
        break
      case 'send-snapshot': {
        const { index, term } = this.#outbox.sendSnapshot(effect)
        const { to, sendId } = effect
        this.step({ type: 'snapshot-opened', peer: to.id, sendId, index, term })
        break
      }
      case 'answer':
        this.#outbox.answer(effect)
        break
      default:
    }
  }

  #append(entries: readonly SimulatedEntry[]): void {
    const before = entries[0]!.index - 1
    const previousTerm = this.log.get(before)?.term ?? this.consensus.termAt(before) ?? 0
    this.#around.appended(entries, previousTerm)
    for (const entry of entries) this.log.set(entry.index, entry)
    this.#write({ type: 'append', entries })
  }

  #applyUpTo(index: Index): void {
    for (let next = this.machine.index + 1; next <= index; next++) {
      const entry = this.log.get(next)
      if (entry === undefined) throw new Error(`${this.id} commits entry ${next}, which it lacks`)
      this.machine = applyEntry(this.machine, entry)
    }
    this.step({ type: 'applied', index: this.machine.index })
  }

  #install(requestId: number, keepLogAfter: boolean): void {
    const state = this.unanswered.get(requestId)!.state!
    this.#write({ type: 'receive-snapshot', state })
    const keepAfter = keepLogAfter ? state.index : undefined
    this.#write({ type: 'reset-log', requestId, keepAfter })
  }

  #write(write: Write): void {
    this.disk.pending.push(write)
  }

  /** What consensus is told when a write is durable. Entries that a later truncation removes are not counted. */
  #eventOf(write: Write): ConsensusEvent | undefined {
    switch (write.type) {
      case 'hard-state':
        this.#outbox.hardStateDurable(write.sequence)
        return { type: 'hard-state-durable', sequence: write.sequence }
      case 'append': {
        const { index, term } = write.entries.at(-1)!
        return this.#outbox.isSuperseded(index, term)
          ? undefined
          : { type: 'entries-durable', index, term }
      }
      case 'save-snapshot': {
        const { index, term, configuration } = write.state
        return { type: 'snapshot-saved', snapshot: { index, term, configuration } }
      }
      case 'reset-log': {
        for (const index of this.log.keys())
          if (write.keepAfter === undefined || index <= write.keepAfter) this.log.delete(index)
        this.machine = this.disk.snapshot
        this.#around.installed(this)
        return { type: 'snapshot-installed', requestId: write.requestId }
      }
      default:
        return undefined
    }
  }
}
