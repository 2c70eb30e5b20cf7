import { type Clock, messageOf, type Random, RaftError } from '@raftkit/interface'
import type { Effect } from '../consensus/effects.ts'
import type { ConsensusEvent, Moment } from '../consensus/events.ts'
import type { StallWatch } from './stall-watch.ts'

/** Rounds of one turn: effects that are answered at once (entries found in memory) start another round. */
const MAX_ROUNDS = 16

/** What a turn works with. */
export interface TurnParts {
  readonly clock: Clock
  readonly random: Random
  readonly stallWatch: StallWatch
  /** Decides. Never called while an effect is carried out. */
  readonly step: (event: ConsensusEvent, moment: Moment) => readonly Effect[]
  /** Does. May learn something at once and {@link Turn.add} it. */
  readonly carryOut: (effect: Effect) => void
  /** Called before the events are stepped: lanes that collect during a turn add what they have. */
  readonly onStart: () => void
  /** Called after the effects of a round: the state machine's time. */
  readonly onRound: () => void
  /** Called when all is done: listeners are told. */
  readonly onEnd: () => void
  /** Consensus or the runtime is broken. */
  readonly onBroken: (error: RaftError) => void
}

/**
 * Turn batching: what arrives during one turn of the event loop is stepped together at its end, then the effects are
 * carried out once, in order. No effect is carried out inside a step, and nothing is stepped while effects are.
 */
export class Turn {
  readonly #parts: TurnParts
  #inbox: ConsensusEvent[] = []
  #isAsked = false
  #isRunning = false
  #isClosed = false

  constructor(parts: TurnParts) {
    this.#parts = parts
  }

  /** Something was learned. It is stepped at the end of this turn. */
  add(event: ConsensusEvent): void {
    if (this.#isClosed) return
    this.#inbox.push(event)
    // What is added while effects are carried out is taken up in the same turn.
    if (!this.#isRunning) this.ask()
  }

  /** This turn must end with a look at consensus, even if nothing was learned. */
  ask(): void {
    if (this.#isAsked || this.#isClosed) return
    this.#isAsked = true
    // Asked for during a turn, by the state machine perhaps: another one follows.
    if (!this.#isRunning) this.#parts.clock.afterInput(this.#end)
  }

  /** Steps no more. */
  close(): void {
    this.#isClosed = true
    this.#inbox = []
  }

  readonly #end = (): void => {
    this.#isAsked = false
    if (this.#isClosed) return
    this.#isRunning = true
    try {
      this.#run()
    } catch (error) {
      this.#parts.onBroken(broken(error))
    }
    this.#parts.onEnd()
    this.#isRunning = false
    if (this.#inbox.length > 0) this.#isAsked = true
    if (this.#isAsked && !this.#isClosed) this.#parts.clock.afterInput(this.#end)
  }

  #run(): void {
    const { clock, random, stallWatch, onStart, onRound } = this.#parts
    const now = clock.now()
    const stalledFor = stallWatch.take(now)
    onStart()
    const events = stalledFor === undefined ? [] : [{ type: 'stalled', forMs: stalledFor } as const]
    this.#round(events, { now, random: random.next() })
    onRound()
    for (let round = 1; round < MAX_ROUNDS && this.#inbox.length > 0 && !this.#isClosed; round++) {
      this.#round([], { now, random: random.next() })
      onRound()
    }
  }

  #round(first: readonly ConsensusEvent[], moment: Moment): void {
    const effects: Effect[] = []
    for (const event of first) this.#step(event, moment, effects)
    const events = this.#inbox
    this.#inbox = []
    for (const event of events) this.#step(event, moment, effects)
    this.#step({ type: 'turn-ended' }, moment, effects)
    for (const effect of effects) {
      if (this.#isClosed) return
      this.#parts.carryOut(effect)
    }
  }

  #step(event: ConsensusEvent, moment: Moment, effects: Effect[]): void {
    for (const effect of this.#parts.step(event, moment)) effects.push(effect)
  }
}

function broken(error: unknown): RaftError {
  if (RaftError.is(error)) return error
  return new RaftError(
    'RAFT_INVARIANT_VIOLATED',
    `this server is broken and stops: ${messageOf(error)}. Please report it with the log`,
    { cause: error },
  )
}
