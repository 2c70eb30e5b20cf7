// What clients do in a simulation.
import type { Random, StateMachine } from '@raftkit/interface'
import type { Operation } from '../linearizability/history.ts'
import type { Verdict } from '../linearizability/checker.ts'

/** One call of a client: a command for the log, or a linearizable read of the state machine. */
export type Call<M, Input, Output> =
  | { readonly input: Input; readonly command: Uint8Array }
  | { readonly input: Input; readonly read: (machine: M) => Output }

/** The calls of clients, and what must hold of their answers. */
export interface Workload<M extends StateMachine<Output>, Input, Output> {
  /** The next call of some client. All chance must come from `random`. Commands should be unique. */
  next(random: Random): Call<M, Input, Output>
  /**
   * What a restore of the state of `machine` amounts to: calls that would lead there from any state. Without it, nobody
   * restores anything.
   */
  readonly restored?: (machine: M) => readonly Input[]
  /** Judges the history, for example with {@link checkLinearizability}. */
  readonly judge?: (history: readonly Operation<Input, Output>[]) => Verdict
}
