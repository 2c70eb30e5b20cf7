// The door for code of the user's that runs on every simulated server: what it is given, and what it gives back.
import type { Clock, Random, ServerId, StateMachine } from '@raftkit/interface'
import type { Raft, RaftConfig, RaftOptions } from '@raftkit/raft-core'
import type { Fact } from '../story/trace.ts'
import type { Call } from '../workload/workload.ts'

/** One life of a simulated server, as the code that starts Raft in it sees it. */
export interface Site<M extends StateMachine<R>, R> {
  readonly id: ServerId
  /** What `Raft.start` is to be given, as it is or with more to it. Nothing in it is the platform's. */
  readonly raftOptions: RaftOptions<R> & SimulatedParts
  /** The state machine of this life, without the checks that are around it in `raftOptions.stateMachine`. */
  readonly machine: M
  /** Chance for everything above Raft. */
  readonly random: Random
  /** The world's clock, milliseconds: for checks that compare servers. No server may act by it. */
  readonly worldTime: () => number
  /**
   * Keeps the event loop busy for so long, milliseconds of the world, as a long computation does: the clock of the server
   * goes on at once, and nothing else of it runs until then. Does nothing once the faults have ended.
   */
  readonly standStill: (forMs: number) => void
  /** Something is wrong: the seed fails, with the check `own check`. */
  readonly report: (problem: string) => void
  /** A situation was reached; `ownMarks` of the result counts them by name. */
  readonly mark: (name: string) => void
  /** A line of the story. */
  readonly tell: (...facts: readonly Fact[]) => void
}

/** Parts of {@link Site.raftOptions} that are always there. */
export interface SimulatedParts {
  readonly config: RaftConfig
  readonly clock: Clock
  readonly random: Random
}

/** What runs on a server: Raft, and what is around it. */
export interface Service<M, Input, R> {
  readonly raft: Raft<R>
  /**
   * Carries out a call that a client makes at this server, whoever leads. What fails must do so with a `RaftError` that
   * says what is known of a command. Resolves with what the state machine answered, or the read.
   */
  readonly call: (call: Call<M, Input, R>, limits: { readonly timeoutMs: number }) => Promise<R>
  /** Ends everything, Raft too, and leaves no timer behind. Default: `raft.shutdown()`. */
  readonly stop?: () => Promise<void>
}

/** Code of a user's that runs on every server of one run, from each start of the server to its crash. */
export interface Layer<M extends StateMachine<R>, Input, R> {
  /**
   * Starts Raft on a server, and around it what a user has there. Called at every start of the server; at its crash
   * everything that it made just stops. Give the Raft back as soon as it has started.
   */
  readonly start: (site: Site<M, R>) => Promise<Service<M, Input, R>>
  /** What servers forward to the leader may come twice, or seconds later again. Default false. */
  readonly repeatForwards?: boolean
  /** What else must become true within the time that a cluster has to recover when the faults end. Default: nothing. */
  readonly hasRecovered?: () => boolean
}

/** A layer as servers need it. */
export interface Launcher<M extends StateMachine<R>, R> {
  readonly start: (site: Site<M, R>) => Promise<Launched<R>>
  readonly mayRepeatForwards: boolean
}

/** A service as its server needs it. */
export type Launched<R> = Pick<Service<never, never, R>, 'raft' | 'stop'>
