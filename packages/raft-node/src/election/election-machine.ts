import { RaftError } from '@raftkit/interface'
import type { NodeStateMachine } from '../state-machine/state-machine.ts'

const nothing = new Uint8Array(0)

/** The state machine of a cluster that only elects: it has no state, and no commands. */
export function electionMachine(): NodeStateMachine<never, never, never, never> {
  return {
    apply: () => nothing,
    snapshot: () => ({ persist: async () => {} }),
    restore: async (state) => {
      for await (const chunk of state) if (chunk.byteLength > 0) throw notEmpty()
    },
    encodeCommand: () => nothing,
    encodeQuery: () => nothing,
    answer: () => nothing,
    decodeResponse: noValue,
    decodeAnswer: noValue,
  }
}

function noValue(): never {
  throw new RaftError('RAFT_INVALID_ARGUMENT', 'A cluster that only elects has no commands.')
}

function notEmpty(): RaftError {
  return new RaftError(
    'RAFT_SNAPSHOT_CORRUPT',
    'The snapshot holds a state, which an election has not: the data directory belongs to another kind of cluster.',
  )
}
