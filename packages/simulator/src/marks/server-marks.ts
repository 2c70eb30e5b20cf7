// What a server did, as a mark.
import {
  type HardState,
  membersOf,
  type RpcRequest,
  type RpcResponse,
  type Term,
} from '@raftkit/interface'
import type { Raft, RaftState } from '@raftkit/raft-core'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Mark } from './marks.ts'

/** The server as it answers. */
export interface Answering {
  readonly raft: Pick<Raft, 'leader' | 'commitIndex' | 'configuration'>
  readonly image: DiskImage
  /** Term and vote with which its process started. */
  readonly startedWith: HardState | undefined
}

const ROLE_REASONS: readonly (readonly [beginning: string, mark: Mark])[] = [
  ['no majority', 'an election found no majority'],
  ['no answer from a quorum', 'a leader without a quorum stepped down'],
  ['higher term', 'a leader stepped down for a higher term'],
  ['the event loop stood still', 'a server noticed that its event loop stood still'],
  ['the disk is stalled', 'a leader whose disk hung stepped down'],
]

/** The mark of a change of role. */
export function roleMark(role: RaftState, reason: string): Mark | undefined {
  if (role === 'leader') return 'a leader was elected'
  return ROLE_REASONS.find(([beginning]) => reason.startsWith(beginning))?.[1]
}

/** The mark of a server that runs again. `isLate`: after longer than an election deadline, and its leader was not silent. */
export function wakeMark(
  { state, currentTerm }: Pick<Raft, 'state' | 'currentTerm'>,
  isLate: boolean,
  highestLed: Term,
): Mark | undefined {
  if (isLate && state === 'follower')
    return 'an election deadline passed in a stall while heartbeats waited'
  return state === 'leader' && highestLed > currentTerm
    ? 'a leader that slept woke up after another was elected'
    : undefined
}

/** The mark of an answer. */
export function answerMark(
  request: RpcRequest,
  response: RpcResponse,
  server: Answering,
): Mark | undefined {
  if (request.type === 'request-vote' && response.type === 'request-vote')
    return voteMark(request, response, server)
  if (request.type === 'request-pre-vote' && response.type === 'request-pre-vote') {
    if (response.granted) return 'a pre-vote was given'
    if (server.raft.leader !== undefined) return 'a pre-vote was refused because a leader is known'
    return response.term <= request.term
      ? 'a pre-vote was refused because the log is behind'
      : undefined
  }
  if (request.type === 'append-entries' && response.type === 'append-entries') {
    if (response.term > request.term) return 'entries of an old leader were refused'
    return response.noRetryBackoff ? 'entries did not fit and were refused' : undefined
  }
  return undefined
}

function voteMark(
  request: Extract<RpcRequest, { type: 'request-vote' }>,
  { granted, term }: Extract<RpcResponse, { type: 'request-vote' }>,
  { raft, image, startedWith }: Answering,
): Mark | undefined {
  if (startedWith?.term === request.term && startedWith.votedFor !== undefined)
    return 'a vote from before a restart was asked for again'
  if (granted) return 'a vote was given'
  if (term > request.term) return 'a vote was refused in an old term'
  // Whoever knows a leader does not even take up the term.
  if (term < request.term)
    return raft.leader === undefined ? undefined : 'a vote was refused because a leader is known'
  const { votedFor } = image.hardState ?? { votedFor: undefined }
  return votedFor === undefined || votedFor.id === request.header.id
    ? 'a vote was refused because the log is behind'
    : 'a vote was refused because another has it'
}

/** True for a vote that a server gives with another disk than the candidate knows it with. */
export function isForgottenVote(raft: Pick<Raft, 'configuration'>, response: RpcResponse): boolean {
  if (response.type !== 'request-vote' || !response.granted) return false
  const { id, diskId } = response.header
  const members = membersOf(raft.configuration().configuration)
  const known = members.find((server) => server.id === id)?.diskId
  return known !== undefined && diskId !== undefined && known !== diskId
}

/** The marks of a request that has come and will be carried out. */
export function arrivalMarks(request: RpcRequest, server: Answering): readonly Mark[] {
  const { raft, image } = server
  if (request.type === 'append-entries') {
    const last = request.entries?.at(-1)
    return last !== undefined && image.entry(last.lastIndex)?.term === last.lastTerm
      ? ['entries came that were there already']
      : []
  }
  if (request.type !== 'install-snapshot') return []
  const { lastLogIndex, lastLogTerm, configurationIndex } = request
  if (lastLogIndex <= raft.commitIndex) return ['an old snapshot was not installed again']
  const marks: Mark[] = []
  const known = raft.configuration().index
  if (known > 0 && configurationIndex > known) marks.push('a snapshot brought a configuration')
  const own = image.entry(lastLogIndex)?.term
  if (own !== undefined)
    marks.push(
      own === lastLogTerm
        ? 'a snapshot was installed and the log behind it kept'
        : 'a snapshot was installed onto a conflicting suffix',
    )
  return marks
}
