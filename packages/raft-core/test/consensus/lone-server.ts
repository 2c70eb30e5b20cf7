// One Consensus and nothing around it: tests say what arrives and look at what it wants done.
import type {
  Configuration,
  HardState,
  Index,
  IndexedConfiguration,
  ServerId,
  Term,
} from '@raftkit/interface/protocol'
import {
  Consensus,
  type Answer,
  type ConsensusEvent,
  type ConsensusStatus,
  type ConsensusTiming,
  type Effect,
  type EntrySpan,
  type ReceivedRequest,
  type Sender,
  type TermRun,
} from '@raftkit/raft-core/consensus'
import { configurationOf } from './cluster/entries.ts'
import { testTiming } from './cluster/timing.ts'

export interface LoneOptions {
  readonly id?: ServerId
  readonly diskId?: number
  readonly voters?: readonly ServerId[]
  readonly nonvoters?: readonly ServerId[]
  /** Terms of the entries after the snapshot (or from 1 on). The first entry of all is the configuration. */
  readonly log?: readonly Term[]
  readonly hardState?: HardState
  readonly mayHaveHeardLeader?: boolean
  readonly snapshot?: { readonly index: Index; readonly term: Term }
  readonly commitIndex?: Index
  readonly configurations?: readonly IndexedConfiguration[]
  readonly timing?: Partial<ConsensusTiming>
  readonly random?: number
}

/** AppendEntries in short: entries are given by their terms. */
export interface AppendInShort {
  readonly from?: ServerId
  readonly term: Term
  readonly prev: readonly [Index, Term]
  readonly entries?: readonly Term[]
  readonly configurations?: readonly IndexedConfiguration[]
  readonly commit?: Index
  readonly isRaftkit?: boolean
}

export type EffectOf<T extends Effect['type']> = Extract<Effect, { type: T }>

export class LoneServer {
  readonly consensus: Consensus
  now = 0
  random: number
  #nextRequestId = 1

  constructor(options: LoneOptions = {}) {
    const { voters = ['n1', 'n2', 'n3'], nonvoters = [], log = [1] } = options
    const snapshot = options.snapshot ?? { index: 0, term: 0 }
    const configuration = configurationOf(voters, nonvoters)
    const id = options.id ?? 'n1'
    this.random = options.random ?? 0
    this.consensus = new Consensus(
      {
        self: { id, address: `${id}:1`, diskId: options.diskId },
        hardState: options.hardState ?? { term: Math.max(log.at(-1) ?? 0, snapshot.term) },
        mayHaveHeardLeader: options.mayHaveHeardLeader ?? false,
        snapshot,
        logFirstIndex: log.length === 0 ? 0 : snapshot.index + 1,
        lastIndex: snapshot.index + log.length,
        runs: runsOf(snapshot.index + 1, log),
        configurations: options.configurations ?? [{ index: 1, configuration }],
        commitIndex: options.commitIndex ?? 0,
        now: 0,
        random: this.random,
      },
      { ...testTiming, ...options.timing },
    )
  }

  get status(): ConsensusStatus {
    return this.consensus.status()
  }

  step(event: ConsensusEvent): readonly Effect[] {
    return this.consensus.step(event, { now: this.now, random: this.random })
  }

  /** Steps events and ends the turn. */
  turn(...events: readonly ConsensusEvent[]): readonly Effect[] {
    return [...events, { type: 'turn-ended' } as const].flatMap((event) => this.step(event))
  }

  /** Ends a turn at this time. */
  turnAt(now: number): readonly Effect[] {
    this.now = now
    return this.turn()
  }

  /** A request arrives; its answer may have to wait (`after`). */
  receive(request: ReceivedRequest): readonly Effect[] {
    return this.step({ type: 'received', requestId: this.#nextRequestId++, request })
  }

  append(short: AppendInShort): readonly Effect[] {
    return this.receive(appendOf(short))
  }

  heartbeat(term: Term, from: ServerId = 'n2'): readonly Effect[] {
    return this.receive({ ...appendOf({ from, term, prev: [0, 0] }), heartbeat: true })
  }

  answered(
    effect: { readonly sendId: number; readonly to: { readonly id: ServerId } },
    answer: Answer,
  ): readonly Effect[] {
    const { sendId, to } = effect
    return this.step({ type: 'answered', peer: to.id, sendId, answer, isRaftkit: true })
  }

  failed(effect: {
    readonly sendId: number
    readonly to: { readonly id: ServerId }
  }): readonly Effect[] {
    const { sendId, to } = effect
    return this.step({ type: 'send-failed', peer: to.id, sendId, failure: 'unreachable' })
  }

  /** What is asked of the disk is done at once: hard state, and the log as far as it goes. */
  sync(effects: readonly Effect[]): readonly Effect[] {
    const done: Effect[] = []
    for (const { sequence } of all(effects, 'save-hard-state'))
      done.push(...this.step({ type: 'hard-state-durable', sequence }))
    const { lastIndex, lastTerm, durableIndex } = this.status
    if (durableIndex < lastIndex)
      done.push(...this.step({ type: 'entries-durable', index: lastIndex, term: lastTerm }))
    return done
  }

  /** Answers every `read-entries`; gives what comes of it. */
  read(effects: readonly Effect[]): readonly EffectOf<'send-entries'>[] {
    const sent: EffectOf<'send-entries'>[] = [...all(effects, 'send-entries')]
    for (const { peer, readId, from, to } of all(effects, 'read-entries')) {
      const bytes = (to - from + 1) * 100
      sent.push(...this.read(this.step({ type: 'entries-read', peer, readId, from, to, bytes })))
    }
    return sent
  }

  /** Becomes leader with the votes of everyone; its no-op is durable here and sent, but not acknowledged. */
  lead(): readonly EffectOf<'send-entries'>[] {
    let effects = this.turnAt(Math.max(this.now, 1000))
    for (let round = 0; round < 3 && this.status.role !== 'leader'; round++) {
      const next: Effect[] = [...this.sync(effects)]
      for (const sent of all(effects, 'send')) next.push(...this.answered(sent, grantOf(sent)))
      effects = next
    }
    if (this.status.role !== 'leader') throw new Error(`not elected: ${this.status.role}`)
    this.sync([])
    return this.read(this.turn())
  }

  /** Becomes leader, and everyone acknowledges the no-op. */
  leadAndCommit(): void {
    for (const sent of this.lead()) this.answered(sent, success(this.status.term))
    this.turn()
  }
}

/** The effects of one type. */
export function all<T extends Effect['type']>(
  effects: readonly Effect[],
  type: T,
): readonly EffectOf<T>[] {
  return effects.filter((effect): effect is EffectOf<T> => effect.type === type)
}

/** The only effect of one type. */
export function only<T extends Effect['type']>(effects: readonly Effect[], type: T): EffectOf<T> {
  const found = all(effects, type)
  if (found.length !== 1)
    throw new Error(
      `${found.length} effects ${type} in ${effects.map((effect) => effect.type).join(' ')}`,
    )
  return found[0]!
}

export function sender(id: ServerId, isRaftkit = true): Sender {
  return { id, address: `${id}:1`, isRaftkit }
}

export function success(term: Term, lastLogIndex: Index = 0): Answer {
  return { type: 'append-entries', term, success: true, lastLogIndex, noRetryBackoff: false }
}

export function mismatch(
  term: Term,
  lastLogIndex: Index,
  conflict?: { readonly term: Term; readonly firstIndex: Index },
): Answer {
  const answer = {
    type: 'append-entries',
    term,
    success: false,
    lastLogIndex,
    noRetryBackoff: true,
  } as const
  return conflict === undefined ? answer : { ...answer, conflict }
}

export function indexed(
  index: Index,
  voters: readonly ServerId[],
  nonvoters?: readonly ServerId[],
): IndexedConfiguration {
  return { index, configuration: configurationOf(voters, nonvoters) satisfies Configuration }
}

export function runsOf(firstIndex: Index, terms: readonly Term[]): readonly TermRun[] {
  const runs: TermRun[] = []
  for (const [place, term] of terms.entries())
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: firstIndex + place, term })
  return runs
}

function appendOf(short: AppendInShort): Extract<ReceivedRequest, { type: 'append-entries' }> {
  const { from = 'n2', term, prev, entries = [], configurations = [], commit = 0 } = short
  const request = {
    type: 'append-entries',
    from: sender(from, short.isRaftkit ?? true),
    term,
    heartbeat: false,
    prevLogIndex: prev[0],
    prevLogTerm: prev[1],
    leaderCommit: commit,
  } as const
  if (entries.length === 0) return request
  const firstIndex = prev[0] + 1
  const span: EntrySpan = {
    firstIndex,
    lastIndex: prev[0] + entries.length,
    runs: runsOf(firstIndex, entries),
    configurations,
  }
  return { ...request, entries: span }
}

function grantOf({ request }: EffectOf<'send'>): Answer {
  if (request.type === 'request-vote' || request.type === 'request-pre-vote')
    return { type: request.type, term: request.term, granted: true }
  return request.type === 'heartbeat' ? success(request.term) : { type: 'timeout-now' }
}
