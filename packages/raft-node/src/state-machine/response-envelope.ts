// What stands in front of an encoded response: a byte that says whether the command had a response or was refused.
import { RaftError, messageOf } from '@raftkit/interface'
import type { Codec } from '../message-pack.ts'

const marks = { value: 0, undecodable: 1, unencodable: 2 } as const

/** The response of a command that ran. Never throws: every server must get past the same entry. */
export function sealResponse(codec: Codec, response: unknown): Uint8Array {
  try {
    return marked(marks.value, codec.encode(response))
  } catch (error) {
    return marked(marks.unencodable, new TextEncoder().encode(messageOf(error)))
  }
}

/** Stands for a command that no server could decode; it changed nothing. */
export function sealUndecodable(error: unknown): Uint8Array {
  return marked(marks.undecodable, new TextEncoder().encode(messageOf(error)))
}

/** The response, or throws what {@link sealUndecodable} or a response without encoding stand for. */
export function openResponse(codec: Codec, bytes: Uint8Array): unknown {
  const body = bytes.subarray(1)
  switch (bytes[0]) {
    case marks.value:
      return codec.decode(body)
    case marks.undecodable:
      throw new RaftError(
        'RAFT_DECODE_FAILED',
        `The command was refused by every server and changed nothing: ${new TextDecoder().decode(body)}`,
        { outcome: 'not-committed' },
      )
    case marks.unencodable:
      throw new RaftError(
        'RAFT_STATE_MACHINE_FAILED',
        `The command took effect, but what apply returned cannot be sent: ${new TextDecoder().decode(body)}`,
        { outcome: 'committed' },
      )
    default:
      throw new RaftError('RAFT_DECODE_FAILED', 'The response has an unknown form.', {
        outcome: 'committed',
      })
  }
}

function marked(mark: number, body: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(body.byteLength + 1)
  bytes[0] = mark
  bytes.set(body, 1)
  return bytes
}
