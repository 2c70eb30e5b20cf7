// One server around a real Consensus: a log in memory, a slow disk, a state machine. It carries effects out in
// their order, as the runtime must, and never delays or hurries anything by itself.
import type {
  Configuration,
  Index,
  IndexedConfiguration,
  Server,
  ServerId,
  Term,
} from '@raftkit/interface/protocol'
import {
  Consensus,
  type Answer,
  type ConsensusEvent,
  type ConsensusTiming,
  type DurablePoint,
  type Effect,
  type EntrySpan,
  type ReceivedRequest,
  type TermRun,
} from '@raftkit/raft-core/consensus'
import type { Message, RequestMessage } from './messages.ts'
import {
  SimulatedDisk,
  type MachineState,
  type SimulatedEntry,
  type Write,
} from './simulated-disk.ts'

/** What a simulated server needs from its surroundings. */
export interface Surroundings {
  readonly now: () => number
  readonly random: () => number
  /** A message leaves; for an answer, with the request that it answers. */
  readonly send: (message: Message, answers?: RequestMessage) => void
  readonly appended: (entries: readonly SimulatedEntry[], previousTerm: Term) => void
  readonly installed: (server: SimulatedServer) => void
  readonly durable: (server: SimulatedServer, write: Write) => void
  /** Told of every effect before it is carried out. */
  readonly observe: (server: SimulatedServer, effect: Effect) => void
  readonly timing: (id: ServerId) => ConsensusTiming
  /** True while the disk of this server makes every write durable at once. */
  readonly isDiskFast: (id: ServerId) => boolean
  readonly isRaftkit: (id: ServerId) => boolean
}

interface Gated {
  readonly after: DurablePoint
  readonly leave: () => void
  /** What to do when the entry waited for is gone. */
  readonly lost: () => void
}

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
  /** True while `read-entries` is answered in the same turn. */
  readsAtOnce = true
  readonly #around: Surroundings
  #gated: Gated[] = []
  #durableSequence = 0
  #held: { readonly readId: number; readonly entries: readonly SimulatedEntry[] } | undefined
  #nextRequestId = 1
  #queue: ConsensusEvent[] = []
  #isStepping = false

  constructor(id: ServerId, around: Surroundings) {
    this.id = id
    this.#around = around
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
    this.#gated = []
    this.#durableSequence = 0
    this.#held = undefined
    this.#queue = []
    const configurations = configurationsOf(disk)
    this.consensus = new Consensus(
      {
        self: { id: this.id, address: addressOf(this.id) },
        hardState: disk.hardState,
        snapshot: { index: disk.snapshot.index, term: disk.snapshot.term },
        logFirstIndex: disk.firstIndex,
        lastIndex: disk.entries.size === 0 ? disk.snapshot.index : disk.lastIndex,
        runs: runsOf([...disk.entries.values()]),
        configurations,
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
    for (const event of events) this.step(event)
    this.step({ type: 'turn-ended' })
  }

  /** Admits commands. */
  propose(...values: readonly string[]): void {
    this.admitted.push(...values)
    this.turn({ type: 'proposed', count: values.length })
  }

  /** Takes a message from the network. */
  receive(message: Message): void {
    if (!this.isUp) return
    if (message.type === 'request') {
      const requestId = this.#nextRequestId++
      this.unanswered.set(requestId, message)
      this.turn({ type: 'received', requestId, request: message.request })
    } else if (message.run !== this.run) {
      // The answer to a request of an earlier life.
    } else if (message.type === 'answer') {
      const { from: peer, sendId, answer, isRaftkit } = message
      this.turn({ type: 'answered', peer, sendId, answer, isRaftkit })
    } else {
      const { from: peer, sendId, failure } = message
      this.turn({ type: 'send-failed', peer, sendId, failure })
    }
  }

  /** Makes the oldest write durable, and says so to consensus. False when there is none. */
  completeWrite(): boolean {
    const write = this.disk.complete()
    if (write === undefined) return false
    this.#around.durable(this, write)
    const event = this.#eventOf(write)
    if (event !== undefined) this.turn(event)
    this.#openGates()
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
    this.#held = { readId, entries }
    const to = from + entries.length - 1
    this.step({ type: 'entries-read', peer, readId, from, to, bytes: entries.length * 100 })
  }

  /** Saves a snapshot of the state machine, when there is something new. */
  takeSnapshot(): void {
    if (this.machine.index > this.disk.snapshot.index)
      this.#write({ type: 'save-snapshot', state: this.machine })
  }

  /** One event. What it causes at once (reads, applied) is stepped after it, in order. */
  step(event: ConsensusEvent): void {
    this.#queue.push(event)
    if (this.#isStepping) return
    this.#isStepping = true
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
        const { now, random } = this.#around
        for (const effect of this.consensus.step(next, { now: now(), random: random() })) {
          this.#around.observe(this, effect)
          this.#carryOut(effect)
        }
        if (this.wakeAt <= now() && next.type !== 'turn-ended') this.wakeAt = now()
      }
    } finally {
      this.#isStepping = false
    }
    while (this.readsAtOnce && this.reads.length > 0) this.completeRead()
    while (this.isUp && this.#around.isDiskFast(this.id) && this.completeWrite());
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'save-hard-state':
        this.#write({ type: 'hard-state', sequence: effect.sequence, hardState: effect.hardState })
        break
      case 'append-noop':
        this.#append([
          { index: effect.index, term: effect.term, value: `no-op of term ${effect.term}` },
        ])
        break
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
      case 'send-entries':
      case 'send-snapshot':
      case 'answer':
        this.#communicate(effect)
        break
      default:
    }
  }

  #communicate(
    effect: Extract<Effect, { type: 'send' | 'send-entries' | 'send-snapshot' | 'answer' }>,
  ): void {
    if (effect.type === 'answer') {
      this.#gate(
        effect.after,
        () => this.#answer(effect.requestId, effect.answer),
        // In the answer's own term: a newer one may not be durable yet.
        () =>
          this.#answer(
            effect.requestId,
            effect.answer.type === 'append-entries'
              ? { ...effect.answer, success: false }
              : { type: 'error', message: 'the entry is gone' },
          ),
      )
    } else if (effect.type === 'send') {
      const { to, sendId, request } = effect
      this.#gate(effect.after, () => this.#send(to, sendId, this.#requestOf(request), []))
    } else if (effect.type === 'send-entries') this.#sendEntries(effect)
    else this.#sendSnapshot(effect)
  }

  #requestOf(request: Extract<Effect, { type: 'send' }>['request']): ReceivedRequest {
    const from = this.#self()
    if (request.type !== 'heartbeat') return { ...request, from }
    const { term } = request
    const bare = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, heartbeat: true }
    return { type: 'append-entries', from, term, ...bare }
  }

  #sendEntries(effect: Extract<Effect, { type: 'send-entries' }>): void {
    const { to, sendId, term, prevLogIndex, prevLogTerm, leaderCommit, readId } = effect
    const entries = readId === undefined ? [] : this.#takeHeld(readId)
    const isBare = entries.length === 0 && prevLogIndex === 0 && leaderCommit === 0
    const request = {
      type: 'append-entries',
      from: this.#self(),
      term,
      heartbeat: isBare,
      prevLogIndex,
      prevLogTerm,
      leaderCommit,
    } as const
    const span = spanOf(entries)
    this.#send(to, sendId, span === undefined ? request : { ...request, entries: span }, entries)
  }

  #sendSnapshot({ to, sendId, term }: Extract<Effect, { type: 'send-snapshot' }>): void {
    const { snapshot } = this.disk
    const request = {
      type: 'install-snapshot',
      from: this.#self(),
      term,
      snapshot: {
        index: snapshot.index,
        term: snapshot.term,
        configuration: snapshot.configuration,
      },
    } as const
    this.#send(to, sendId, request, [], snapshot)
    const { index } = snapshot
    this.step({ type: 'snapshot-opened', peer: to.id, sendId, index, term: snapshot.term })
  }

  #takeHeld(readId: number): readonly SimulatedEntry[] {
    if (this.#held?.readId !== readId) throw new Error(`no entries are held for read ${readId}`)
    const { entries } = this.#held
    this.#held = undefined
    return entries
  }

  #self(): { id: ServerId; address: string; isRaftkit: boolean } {
    return { id: this.id, address: addressOf(this.id), isRaftkit: this.#around.isRaftkit(this.id) }
  }

  #send(
    to: Server,
    sendId: number,
    request: ReceivedRequest,
    entries: readonly SimulatedEntry[],
    state?: MachineState,
  ): void {
    const message = {
      type: 'request',
      from: this.id,
      to: to.id,
      sendId,
      run: this.run,
      request,
      entries,
    } as const
    this.#around.send(state === undefined ? message : { ...message, state })
  }

  #answer(requestId: number, answer: Answer): void {
    const request = this.unanswered.get(requestId)
    if (request === undefined) throw new Error(`${this.id} answers request ${requestId} twice`)
    this.unanswered.delete(requestId)
    const { from: to, sendId, run } = request
    const isRaftkit = this.#around.isRaftkit(this.id)
    // A server that is not raftkit gives no hints.
    const said = isRaftkit ? answer : withoutHint(answer)
    this.#around.send(
      { type: 'answer', from: this.id, to, sendId, run, answer: said, isRaftkit },
      request,
    )
  }

  #append(entries: readonly SimulatedEntry[]): void {
    this.#around.appended(entries, this.consensus.termAt(entries[0]!.index - 1) ?? 0)
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
        this.#durableSequence = write.sequence
        return { type: 'hard-state-durable', sequence: write.sequence }
      case 'append': {
        const { index, term } = write.entries.at(-1)!
        return this.#isSuperseded(index, term)
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

  /** True when the same entry was truncated and appended again behind this write. */
  #isSuperseded(index: Index, term: Term): boolean {
    return this.disk.pending.some(
      (write) =>
        write.type === 'append' &&
        write.entries.some((entry) => entry.index === index && entry.term === term),
    )
  }

  #gate(after: DurablePoint | undefined, leave: () => void, lost: () => void = () => {}): void {
    if (after === undefined) leave()
    else {
      this.#gated.push({ after, leave, lost })
      this.#openGates()
    }
  }

  /** Lets everything leave whose durable point is reached, in order. */
  #openGates(): void {
    const gated = this.#gated
    this.#gated = []
    for (const gate of gated) {
      const { hardState, entry } = gate.after
      if (hardState !== undefined && hardState > this.#durableSequence) this.#gated.push(gate)
      else if (entry === undefined) gate.leave()
      else {
        const held = this.log.get(entry.index)
        if (entry.index > this.machine.index && held?.term !== entry.term) gate.lost()
        else if (
          this.disk.holds(entry.index, entry.term) &&
          !this.#isSuperseded(entry.index, entry.term)
        )
          gate.leave()
        else this.#gated.push(gate)
      }
    }
  }
}

function withoutHint(answer: Answer): Answer {
  if (answer.type !== 'append-entries') return answer
  const { conflict: _, ...rest } = answer
  return rest
}

/** The address of a simulated server. */
export function addressOf(id: ServerId): string {
  return `${id}:1`
}

/** The shape of `entries`; undefined for none. */
export function spanOf(entries: readonly SimulatedEntry[]): EntrySpan | undefined {
  const first = entries[0]
  if (first === undefined) return undefined
  const configurations: IndexedConfiguration[] = []
  for (const { configuration } of entries)
    if (configuration !== undefined) configurations.push(configuration)
  return {
    firstIndex: first.index,
    lastIndex: entries.at(-1)!.index,
    runs: runsOf(entries),
    configurations,
  }
}

/** The state after one more entry. */
export function applyEntry(state: MachineState, entry: SimulatedEntry): MachineState {
  const { index, term, value } = entry
  const digest = `${digestOf(`${state.digest}|${index}|${term}|${value}`)}`
  return { index, term, digest, configuration: entry.configuration ?? state.configuration }
}

/** A configuration of voters n1, n2 … with the nonvoters given. */
export function configurationOf(
  voters: readonly ServerId[],
  nonvoters: readonly ServerId[] = [],
): Configuration {
  return {
    servers: [
      ...voters.map((id) => ({ suffrage: 'voter', id, address: addressOf(id) }) as const),
      ...nonvoters.map((id) => ({ suffrage: 'nonvoter', id, address: addressOf(id) }) as const),
    ],
  }
}

function runsOf(entries: readonly SimulatedEntry[]): TermRun[] {
  const runs: TermRun[] = []
  for (const { index, term } of entries)
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  return runs
}

function configurationsOf(disk: SimulatedDisk): IndexedConfiguration[] {
  const known: IndexedConfiguration[] = []
  if (disk.snapshot.configuration.index > 0) known.push(disk.snapshot.configuration)
  for (const { configuration } of disk.entries.values())
    if (configuration !== undefined && configuration.index > disk.snapshot.index)
      known.push(configuration)
  return known
}

function digestOf(text: string): number {
  let hash = 2_166_136_261
  for (let place = 0; place < text.length; place++)
    hash = Math.imul(hash ^ text.charCodeAt(place), 16_777_619)
  return hash >>> 0
}
