// What travels between simulated servers, with payload.
import type { ServerId } from '@raftkit/interface/protocol'
import type { Answer, ReceivedRequest, SendFailure } from '@raftkit/raft-core/consensus'
import type { MachineState, SimulatedEntry } from './simulated-disk.ts'

interface Envelope {
  readonly from: ServerId
  readonly to: ServerId
  readonly sendId: number
  /** Which run of the sender sent the request: a restarted server no longer waits for its answers. */
  readonly run: number
}

export interface RequestMessage extends Envelope {
  readonly type: 'request'
  readonly request: ReceivedRequest
  readonly entries: readonly SimulatedEntry[]
  readonly state?: MachineState
}

export interface AnswerMessage extends Envelope {
  readonly type: 'answer'
  readonly answer: Answer
  readonly isRaftkit: boolean
}

/** The news that a request had no answer: it, or its answer, was lost. */
export interface FailureMessage extends Envelope {
  readonly type: 'failure'
  readonly failure: SendFailure
}

export type Message = RequestMessage | AnswerMessage | FailureMessage
