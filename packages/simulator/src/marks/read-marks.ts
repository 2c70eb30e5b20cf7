// Situations of reads, as marks.
import {
  type Index,
  membersOf,
  RaftError,
  type ServerId,
  type StateMachine,
} from '@raftkit/interface'
import { votersOf } from '../checks/quorums.ts'
import type { ServerRun } from '../server/server-run.ts'
import type { Reached } from '../workload/reached.ts'
import type { World } from '../world/world.ts'

/** Reads that are served at the same moment, from which on they are many. */
const MANY = 5

/** A server has just woken up for so long, milliseconds. */
const AWAKENING_MS = 5

/** One read that has to be new, until it ends. */
export interface MarkedRead {
  readonly served: () => void
  readonly refused: (error: unknown) => void
}

/** Notes what becomes of the reads of one client. */
export class ReadMarks<M extends StateMachine<R>, R> {
  readonly #world: World<M, R>
  /** Reads that one run served at one moment. */
  #crowd: { readonly run: ServerRun<M, R>; readonly at: number; size: number } | undefined

  /** What stale reads of each server saw last. */
  readonly #highest = new Map<ServerId, { readonly run: ServerRun<M, R>; readonly index: Index }>()

  constructor(world: World<M, R>) {
    this.#world = world
  }

  /** A read that has to be new is asked for. */
  asks(reached: Reached<M, R>, consistency: 'linearizable' | 'lease'): MarkedRead {
    const { raft, run } = reached
    const { marks, committed, elections } = this.#world
    const isLeader = raft.state === 'leader'
    if (isLeader && committed.termAt(raft.commitIndex) !== raft.currentTerm)
      marks.hit('a read waited for the first entry of a term')
    const { answers } = run.readers
    if (isLeader && elections.highestLed > raft.currentTerm) {
      marks.hit('a leader that had been replaced was asked for a read')
      if (consistency === 'lease' && committed.hasCommittedIn(elections.highestLed))
        marks.hit('a lease was asked for where a later leader had committed')
    }
    const hasJustWoken = this.#world.time.now() - run.readers.wokeAt < AWAKENING_MS
    return {
      served: () => {
        const isAlone = isLeader && votersOf(raft.configuration().configuration).length === 1
        if (!isLeader) this.#servedElsewhere(reached)
        else if (consistency === 'lease' && !isAlone) {
          if (run.readers.answers === answers)
            marks.hit('a read was served on the lease without a round')
          else if (hasJustWoken)
            marks.hit('a read that a lease would do for needed a round after a stall')
        }
        if (consistency === 'linearizable' && !isAlone) this.#served(run, isLeader)
      },
      refused: (error) => {
        if (RaftError.is(error, 'RAFT_REMOVED')) marks.hit('a read was refused by a removed server')
        if (consistency === 'lease' && RaftError.is(error, 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS'))
          marks.hit('a read that a lease would do for was refused during a hand-over')
      },
    }
  }

  /** A read that need not be new was asked for; `isServed` when nobody was asked. */
  weak(
    { id, raft, run }: Pick<Reached<M, R>, 'id' | 'raft' | 'run'>,
    consistency: 'bounded' | 'stale',
    isServed: boolean,
    asked: Promise<unknown>,
  ): void {
    const { marks, acknowledged } = this.#world
    asked.catch(() => {
      if (consistency === 'bounded') marks.hit('a bounded read was refused')
    })
    if (consistency === 'bounded') {
      if (!isServed) marks.hit('a bounded read had to ask')
      else if (raft.state !== 'leader')
        marks.hit('a bounded read of a follower was served without asking anybody')
    } else if (isServed) {
      if (raft.appliedIndex < acknowledged.lastIndex)
        marks.hit('a stale read missed what was acknowledged')
      if (run.readers.isRemoved) marks.hit('a stale read was served by a removed server')
      const before = this.#highest.get(id)
      if (before !== undefined && before.run !== run && raft.appliedIndex < before.index)
        marks.hit('a stale read after a restart saw less than one before')
      this.#highest.set(id, { run, index: raft.appliedIndex })
    }
  }

  #servedElsewhere({ id, raft }: Reached<M, R>): void {
    const { marks } = this.#world
    marks.hit('a new read was served by a follower')
    const member = membersOf(raft.configuration().configuration).find((server) => server.id === id)
    if (member?.suffrage === 'nonvoter') marks.hit('a new read was served by a nonvoter')
  }

  #served(run: ServerRun<M, R>, isLeader: boolean): void {
    const at = this.#world.time.now()
    if (this.#crowd?.run !== run || this.#crowd.at !== at) this.#crowd = { run, at, size: 0 }
    if (++this.#crowd.size !== MANY) return
    this.#world.marks.hit(
      isLeader
        ? 'many reads were confirmed by one round'
        : 'one question to the leader served many reads',
    )
  }
}
