import { setMaxListeners } from 'node:events'
import { RaftError, messageOf, type Logger } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { WaitOptions } from '../deadline.ts'
import {
  decodeForward,
  encodeResults,
  type ForwardKind,
  type ForwardedRequest,
  type ForwardedResult,
} from './forward-message.ts'
import { runMembershipRequest, type MembershipRaft } from './membership-request.ts'
import { decodeSessionHeader, SESSION_HEADER_BYTES } from '../sessions/session-header.ts'
import type { NodeStateMachine } from '../state-machine/state-machine.ts'
import { withOutcome } from '../with-outcome.ts'

/** Bytes of responses and answers in one message from the leader. Larger ones can only be had on the leader. */
export const MAX_RESULT_BYTES: number = 32 * 1024 * 1024

/** What a leader does itself. */
export type LeaderRaft = Pick<Raft<Uint8Array>, 'apply' | 'applyLog' | 'read' | 'readIndex'> &
  MembershipRaft

/** The bytes-to-bytes half of a node's state machine. */
export type Answering = Pick<NodeStateMachine<never, unknown, never, unknown>, 'answer'>

/**
 * Serves requests on the leader: this node's own, and those that other nodes forward. A request is never passed
 * on: on a server that does not lead it fails with `RAFT_NOT_LEADER`, so that no request can go in circles.
 */
export class LeaderService {
  readonly #raft: () => LeaderRaft | undefined
  readonly #stateMachine: Answering
  readonly #logger: Logger

  /** `raft` gives undefined until the server has started. */
  constructor(raft: () => LeaderRaft | undefined, stateMachine: Answering, logger: Logger) {
    this.#raft = raft
    this.#stateMachine = stateMachine
    this.#logger = logger
  }

  /** Runs one request here. */
  async run(kind: ForwardKind, body: Uint8Array, wait: WaitOptions): Promise<Uint8Array> {
    const raft = this.#started()
    switch (kind) {
      case 'command':
        return (await raft.apply(body, wait)).response
      case 'session-command':
        try {
          return (await raft.applyLog(sessionEntry(body), wait)).response
        } catch (error) {
          throw withOpenOutcome(error)
        }
      case 'query':
        return raft.read(() => this.#answer(body), { ...wait, consistency: 'linearizable' })
      case 'read-index':
        return encodeIndex(await raft.readIndex(wait))
      case 'membership':
        return encodeIndex(await runMembershipRequest(raft, body, wait))
    }
  }

  /** Answers a query from this node's own state, whoever leads. */
  async answerStale(body: Uint8Array): Promise<Uint8Array> {
    return this.#started().read(() => this.#answer(body), { consistency: 'stale' })
  }

  /** Serves one forwarded message. */
  readonly serve = async (
    payload: Uint8Array,
    context: { readonly signal: AbortSignal },
  ): Promise<Uint8Array> => {
    const requests = decodeForward(payload)
    // Every request of the message listens to the same signal.
    setMaxListeners(0, context.signal)
    return encodeFitting(
      requests,
      await Promise.all(requests.map((request) => this.#result(request, context))),
    )
  }

  #started(): LeaderRaft {
    const raft = this.#raft()
    if (raft !== undefined) return raft
    throw new RaftError('RAFT_NOT_LEADER', 'This node is still starting.', {
      retryable: true,
      outcome: 'not-committed',
    })
  }

  async #answer(body: Uint8Array): Promise<Uint8Array> {
    try {
      return await this.#stateMachine.answer(body)
    } catch (error) {
      throw new RaftError('RAFT_READ_FAILED', `The query failed: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }

  async #result(
    request: ForwardedRequest,
    context: { readonly signal: AbortSignal },
  ): Promise<ForwardedResult> {
    const wait = { signal: context.signal, timeoutMs: request.remainingMs }
    try {
      return { ok: true, body: await this.run(request.kind, request.body, wait) }
    } catch (error) {
      if (RaftError.is(error)) return { ok: false, error }
      this.#logger.error({ err: error, kind: request.kind }, 'a forwarded request failed')
      return {
        ok: false,
        error: new RaftError('RAFT_REMOTE_ERROR', messageOf(error), { outcome: 'unknown' }),
      }
    }
  }
}

/** What no longer fits into one message is left out, and its caller told so. */
function encodeFitting(
  requests: readonly ForwardedRequest[],
  results: readonly ForwardedResult[],
): Uint8Array {
  let room = MAX_RESULT_BYTES
  const fitting = results.map((result, i): ForwardedResult => {
    const size = result.ok ? result.body.byteLength : 0
    if (size <= room) {
      room -= size
      return result
    }
    return { ok: false, error: doesNotFit(requests[i]!.kind, size) }
  })
  return encodeResults(fitting)
}

function doesNotFit(kind: ForwardKind, size: number): RaftError {
  const alone = size <= MAX_RESULT_BYTES
  return kind === 'command' || kind === 'session-command'
    ? new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        `The command took effect, but its response of ${size} bytes did not fit into the leader's message.`,
        { outcome: 'committed' },
      )
    : new RaftError(
        'RAFT_LIMIT_EXCEEDED',
        `The answer of ${size} bytes did not fit into the leader's message of at most ${MAX_RESULT_BYTES} bytes.`,
        { outcome: 'not-committed', retryable: alone },
      )
}

/** Only its session says whether an entry that is committed takes effect: without its response that is open. */
function withOpenOutcome(error: unknown): unknown {
  return RaftError.is(error) && error.outcome === 'committed'
    ? withOutcome(error, 'unknown')
    : error
}

/** The entry of a request that begins with a session header. */
function sessionEntry(body: Uint8Array): { data: Uint8Array; extensions: Uint8Array } {
  const extensions = body.subarray(0, SESSION_HEADER_BYTES)
  const header = decodeSessionHeader(extensions)
  if (header === undefined || header === 'malformed')
    throw new RaftError('RAFT_DECODE_FAILED', 'A forwarded command has no session header.', {
      outcome: 'not-committed',
    })
  return { extensions, data: body.subarray(SESSION_HEADER_BYTES) }
}

function encodeIndex(index: number): Uint8Array {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(index))
  return bytes
}

/** The index in the answer to a `read-index` or `membership` request. */
export function decodeIndex(bytes: Uint8Array): number {
  if (bytes.byteLength !== 8)
    throw new RaftError(
      'RAFT_DECODE_FAILED',
      'The leader answered with something else than an index.',
    )
  return Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0))
}
