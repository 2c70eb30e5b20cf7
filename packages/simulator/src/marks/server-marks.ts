// What a server did, as a mark.
import type { RpcResponse } from '@raftkit/interface'
import type { RaftState } from '@raftkit/raft-core'
import type { Mark } from './marks.ts'

/** The mark of a change of role. */
export function roleMark(role: RaftState, reason: string): Mark | undefined {
  if (role === 'leader') return 'a leader was elected'
  if (reason.startsWith('no majority')) return 'an election found no majority'
  if (reason.startsWith('no answer from a quorum')) return 'a leader without a quorum stepped down'
  if (reason.startsWith('higher term')) return 'a leader stepped down for a higher term'
  if (reason.startsWith('the event loop stood still'))
    return 'a server noticed that its event loop stood still'
  return undefined
}

/** The mark of an answer. */
export function answerMark(response: RpcResponse): Mark | undefined {
  switch (response.type) {
    case 'request-vote':
      return response.granted ? 'a vote was given' : 'a vote was refused'
    case 'request-pre-vote':
      return response.granted ? undefined : 'a pre-vote was refused'
    case 'append-entries':
      return response.noRetryBackoff ? 'entries did not fit and were refused' : undefined
    default:
      return undefined
  }
}
