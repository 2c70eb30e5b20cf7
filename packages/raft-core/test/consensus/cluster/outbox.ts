// What leaves a simulated server, when the durable point that it waits for is reached.
import type { Index, Server, Term } from '@raftkit/interface/protocol'
import type {
  Answer,
  DurablePoint,
  Effect,
  ReceivedRequest,
  Sender,
} from '@raftkit/raft-core/consensus'
import { addressOf, spanOf } from './entries.ts'
import type { MachineState, SimulatedEntry } from './simulated-disk.ts'
import type { SimulatedServer } from './simulated-server.ts'
import type { Surroundings } from './surroundings.ts'

interface Gated {
  readonly after: DurablePoint
  readonly leave: () => void
  /** What to do when the entry waited for is gone. */
  readonly lost: () => void
}

export class Outbox {
  readonly #server: SimulatedServer
  readonly #around: Surroundings
  #gated: Gated[] = []
  #durableSequence = 0
  #held: { readonly readId: number; readonly entries: readonly SimulatedEntry[] } | undefined

  constructor(server: SimulatedServer, around: Surroundings) {
    this.#server = server
    this.#around = around
  }

  /** A `save-hard-state` is durable. */
  hardStateDurable(sequence: number): void {
    this.#durableSequence = sequence
  }

  /** Entries were read; they leave with the `send-entries` of this read, or never. */
  hold(readId: number, entries: readonly SimulatedEntry[]): void {
    this.#held = { readId, entries }
  }

  answer({ requestId, answer, after }: Extract<Effect, { type: 'answer' }>): void {
    // In the answer's own term: a newer one may not be durable yet.
    const refused: Answer =
      answer.type === 'append-entries'
        ? { ...answer, success: false }
        : { type: 'error', message: 'the entry is gone' }
    this.#gate(
      after,
      () => this.#answer(requestId, answer),
      () => this.#answer(requestId, refused),
    )
  }

  send({ to, sendId, request, after }: Extract<Effect, { type: 'send' }>): void {
    const from = this.#self()
    const bare = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0, heartbeat: true }
    const received: ReceivedRequest =
      request.type === 'heartbeat'
        ? { type: 'append-entries', from, term: request.term, ...bare }
        : { ...request, from }
    this.#gate(after, () => this.#send(to, sendId, received, []))
  }

  sendEntries(effect: Extract<Effect, { type: 'send-entries' }>): void {
    const { to, sendId, term, prevLogIndex, prevLogTerm, leaderCommit, readId } = effect
    const entries = readId === undefined ? [] : this.#takeHeld(readId)
    const request = {
      type: 'append-entries',
      from: this.#self(),
      term,
      heartbeat: entries.length === 0 && prevLogIndex === 0 && leaderCommit === 0,
      prevLogIndex,
      prevLogTerm,
      leaderCommit,
    } as const
    const span = spanOf(entries)
    this.#send(to, sendId, span === undefined ? request : { ...request, entries: span }, entries)
  }

  /** Sends the newest snapshot on the disk; gives its state. */
  sendSnapshot({ to, sendId, term }: Extract<Effect, { type: 'send-snapshot' }>): MachineState {
    const { snapshot: state } = this.#server.disk
    const { index, term: snapshotTerm, configuration } = state
    const snapshot = { index, term: snapshotTerm, configuration }
    const request = { type: 'install-snapshot', from: this.#self(), term, snapshot } as const
    this.#send(to, sendId, request, [], state)
    return state
  }

  /** Lets everything leave whose durable point is reached, in order. */
  openGates(): void {
    const { log, machine, disk } = this.#server
    const gated = this.#gated
    this.#gated = []
    for (const gate of gated) {
      const { hardState, entry } = gate.after
      if (hardState !== undefined && hardState > this.#durableSequence) this.#gated.push(gate)
      else if (entry === undefined) gate.leave()
      else if (entry.index > machine.index && log.get(entry.index)?.term !== entry.term) gate.lost()
      else if (disk.holds(entry.index, entry.term) && !this.isSuperseded(entry.index, entry.term))
        gate.leave()
      else this.#gated.push(gate)
    }
  }

  /** True when the same entry was truncated and appended again, by a write that is still under way. */
  isSuperseded(index: Index, term: Term): boolean {
    return this.#server.disk.pending.some(
      (write) =>
        write.type === 'append' &&
        write.entries.some((entry) => entry.index === index && entry.term === term),
    )
  }

  #gate(after: DurablePoint | undefined, leave: () => void, lost: () => void = () => {}): void {
    if (after === undefined) leave()
    else {
      this.#gated.push({ after, leave, lost })
      this.openGates()
    }
  }

  #takeHeld(readId: number): readonly SimulatedEntry[] {
    if (this.#held?.readId !== readId) throw new Error(`no entries are held for read ${readId}`)
    const { entries } = this.#held
    this.#held = undefined
    return entries
  }

  #self(): Sender {
    const { id } = this.#server
    return { id, address: addressOf(id), isRaftkit: this.#around.isRaftkit(id) }
  }

  #send(
    { id: to }: Server,
    sendId: number,
    request: ReceivedRequest,
    entries: readonly SimulatedEntry[],
    state?: MachineState,
  ): void {
    const { id: from, run } = this.#server
    const message = { type: 'request', from, to, sendId, run, request, entries } as const
    this.#around.send(state === undefined ? message : { ...message, state })
  }

  #answer(requestId: number, answer: Answer): void {
    const { id: from, unanswered } = this.#server
    const request = unanswered.get(requestId)
    if (request === undefined) throw new Error(`${from} answers request ${requestId} twice`)
    unanswered.delete(requestId)
    const { from: to, sendId, run } = request
    const isRaftkit = this.#around.isRaftkit(from)
    const said = isRaftkit ? answer : withoutHint(answer)
    this.#around.send({ type: 'answer', from, to, sendId, run, answer: said, isRaftkit }, request)
  }
}

/** What a server says that is not raftkit. */
function withoutHint(answer: Answer): Answer {
  if (answer.type !== 'append-entries') return answer
  const { conflict: _, ...rest } = answer
  return rest
}
