// What a command of a session is answered with: a byte that says what became of it, then the state machine's response.
import { RaftError } from '@raftkit/interface'

/** What became of a command of a session. The numbers stand in snapshots: never renumber. */
const marks = {
  applied: 0,
  expired: 1,
  answered: 2,
  beyondWindow: 3,
  responseNotKept: 4,
  malformed: 5,
} as const

/** Why the session machine did not hand a command to the state machine, or has no response for it. */
export type SessionRefusal = Exclude<keyof typeof marks, 'applied'>

/** The response of a command that was applied; copied, so it may be kept. */
export function sealApplied(response: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(response.byteLength + 1)
  bytes[0] = marks.applied
  bytes.set(response, 1)
  return bytes
}

export function sealRefusal(refusal: SessionRefusal): Uint8Array {
  return new Uint8Array([marks[refusal]])
}

/** The state machine's response, a copy, or throws what the answer stands for. */
export function openSessionResponse(bytes: Uint8Array): Uint8Array {
  switch (bytes[0]) {
    case marks.applied:
      // The bytes may be the ones that the server keeps for retries.
      return bytes.slice(1)
    case marks.expired:
      throw new RaftError(
        'RAFT_SESSION_EXPIRED',
        'The session of this command is not known: it was unused for too long, or others took its place. The command ' +
          'was not applied now, but it may have been before the session expired. Look whether it took effect.',
        { outcome: 'unknown' },
      )
    case marks.answered:
      throw new RaftError(
        'RAFT_SESSION_SEQUENCE',
        'The client said that it waits for this command no more. It was not applied now; it may have been before.',
        { outcome: 'unknown' },
      )
    case marks.beyondWindow:
      throw new RaftError(
        'RAFT_SESSION_SEQUENCE',
        'The command is too far ahead of the oldest one of its session without an answer. It was not applied.',
        { outcome: 'not-committed', retryable: true },
      )
    case marks.responseNotKept:
      throw new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        'The command took effect, but its response was lost on the way and was too large to be kept. ' +
          'Raise sessions.maxCachedResponseBytes, or answer with less.',
        { outcome: 'committed' },
      )
    case marks.malformed:
      throw new RaftError(
        'RAFT_DECODE_FAILED',
        'The session header of the command is none that the servers know; the command was not applied. ' +
          'Do all nodes run the same version of @raftkit/raft-node?',
        { outcome: 'not-committed' },
      )
    default:
      throw new RaftError('RAFT_DECODE_FAILED', 'The answer of a session has an unknown form.', {
        outcome: 'unknown',
      })
  }
}
