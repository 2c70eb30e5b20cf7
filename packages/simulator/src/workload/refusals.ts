// What a client makes of an error.
import type { RaftError } from '@raftkit/interface'
import type { MarkCounts } from '../marks/marks.ts'

/** Notes the situation that a refusal tells of. */
export function markRefusal(marks: MarkCounts, { code }: RaftError, isRead: boolean): void {
  if (code === 'RAFT_ABORTED_BY_RESTORE') marks.hit('a command was replaced by a restore')
  if (code === 'RAFT_OVERLOADED') marks.hit('a command was refused because too many wait')
  if (code === 'RAFT_LEADERSHIP_TRANSFER_IN_PROGRESS')
    marks.hit('a command was refused during a transfer')
  if (isRead && code === 'RAFT_LEADERSHIP_LOST')
    marks.hit('a read was refused because leadership was lost')
}

/** The leader's own words, or the end of the way to it: what came of the command, nobody here knows. */
export function isForwarding({ code }: RaftError): boolean {
  return (
    code === 'RAFT_REMOTE_ERROR' ||
    code === 'RAFT_RPC_TIMEOUT' ||
    code === 'RAFT_CONNECTION_LOST' ||
    code === 'RAFT_DIAL_FAILED' ||
    code === 'RAFT_TRANSPORT_CLOSED'
  )
}
