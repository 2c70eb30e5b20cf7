import {
  type Clock,
  type ForwardKind,
  type ForwardRequest,
  messageOf,
  type Peer,
  RaftError,
  type RpcContext,
  type RpcHeader,
  type RpcResponse,
  type ServerId,
  type Transport,
} from '@raftkit/interface'
import type { RaftConfig } from '../../config.ts'
import type { WaitOptions } from '../calls/caller.ts'
import { notLeader, withOutcome } from '../calls/refusals.ts'
import { isRaftkit } from './rpc-messages.ts'
import type { Standing } from '../observation/standing.ts'
import { waitFor } from '../calls/wait.ts'

/**
 * What the application does with forwarded bytes on the leader. What it throws comes to the caller as `RAFT_REMOTE_ERROR` of
 * unknown outcome; except `RAFT_OVERLOADED` with outcome `not-committed`, as `apply` gives it, which the caller gets as
 * such: let it through only when nothing else of the payload was handed in.
 */
export type ForwardHandler = (
  payload: Uint8Array,
  context: { readonly signal: AbortSignal },
) => Promise<Uint8Array>

/** What forwarding works with. */
export interface ForwardingParts {
  readonly self: Peer
  readonly header: RpcHeader
  readonly transport: Transport
  readonly clock: Clock
  readonly standing: Standing
  readonly config: Pick<RaftConfig, 'rpcTimeoutMs' | 'maxForwardBytes' | 'maxInboundRequests'>
  readonly onForward: ForwardHandler | undefined
  /** Answers what is not the application's. */
  readonly onReadIndex: (payload: Uint8Array, signal: AbortSignal) => Promise<Uint8Array>
}

/** How a server refuses a forwarded request before its handler saw it. No handler's own error reads like that. */
const NOT_LEADER = 'the request was not served: node is not the leader'
const OVERLOADED = 'the request was not served: too many forwarded requests are being served'
/** How it passes on that its handler could not hand in a command, and so none that it was given. */
const TOO_MANY_COMMANDS = 'the request was not carried out: too many commands are waiting'
const UNSUPPORTED =
  'the request was not served: the server was started without onForward and takes no forwarded requests'

/** Senders of AppendEntries remembered; a cluster has fewer servers than that. */
const MAX_SENDERS = 1024

/** Opaque bytes of the application, from any server to the leader. Never passed on a second time. */
export class Forwarding {
  readonly #parts: ForwardingParts
  // By sender, not only the last one: a late message of an old leader says nothing about the present one.
  readonly #isRaftkit = new Map<ServerId, boolean>()
  #serving = 0

  constructor(parts: ForwardingParts) {
    this.#parts = parts
  }

  /** Requests of other servers that are being served. */
  get serving(): number {
    return this.#serving
  }

  /** A leader sent something: its header says whether it takes forwarded requests. */
  heardLeader(header: RpcHeader): void {
    this.#isRaftkit.delete(header.id)
    this.#isRaftkit.set(header.id, isRaftkit(header))
    if (this.#isRaftkit.size <= MAX_SENDERS) return
    const [oldest] = this.#isRaftkit.keys()
    if (oldest !== undefined) this.#isRaftkit.delete(oldest)
  }

  /** Has the leader's `onForward` run on the payload. */
  async send(
    payload: Uint8Array,
    options: WaitOptions = {},
    kind?: ForwardKind,
  ): Promise<Uint8Array> {
    const { standing, transport, header, config, self } = this.#parts
    if (standing.stoppedBy !== undefined) throw withOutcome(standing.stoppedBy, 'not-committed')
    this.#checkSize(payload)
    const { leader } = standing
    if (standing.state === 'leader') return this.#runHere(payload, options, kind)
    if (leader === undefined || leader.id === self.id)
      throw new RaftError('RAFT_NO_LEADER', 'no leader is known: try again after an election', {
        retryable: true,
        outcome: 'not-committed',
      })
    if (this.#isRaftkit.get(leader.id) !== true)
      throw new RaftError(
        'RAFT_RPC_UNSUPPORTED',
        `the leader ${leader.id} does not take forwarded requests: ask it in another way`,
        { outcome: 'not-committed', details: { leader } },
      )
    const { signal, timeoutMs = config.rpcTimeoutMs } = options
    try {
      const response = await transport.call<'forward'>(
        leader,
        kind === undefined
          ? { type: 'forward', header, payload }
          : { type: 'forward', header, kind, payload },
        signal === undefined ? { timeoutMs } : { timeoutMs, signal },
      )
      return response.payload
    } catch (error) {
      throw (RaftError.is(error, 'RAFT_REMOTE_ERROR') && notServed(messageOf(error))) || error
    }
  }

  /** Serves a request that another server forwarded. */
  async serve(request: ForwardRequest, context: RpcContext): Promise<RpcResponse> {
    const { header, standing, config } = this.#parts
    if (standing.state !== 'leader') throw new RaftError('RAFT_NOT_LEADER', NOT_LEADER)
    if (this.#serving >= config.maxInboundRequests)
      throw new RaftError('RAFT_OVERLOADED', OVERLOADED)
    this.#serving++
    try {
      const { payload, kind } = request
      return { type: 'forward', header, payload: await this.#run(payload, context.signal, kind) }
    } catch (error) {
      if (request.kind === undefined && wasNotAdmitted(error))
        throw new RaftError('RAFT_OVERLOADED', TOO_MANY_COMMANDS, { cause: error })
      throw error
    } finally {
      this.#serving--
    }
  }

  /** With the same limits as over the network; the handler is told when nobody waits any more. */
  async #runHere(
    payload: Uint8Array,
    options: WaitOptions,
    kind: ForwardKind | undefined,
  ): Promise<Uint8Array> {
    const { clock, config } = this.#parts
    const limits = { timeoutMs: config.rpcTimeoutMs, ...options }
    const abort = new AbortController()
    try {
      return await waitFor<Uint8Array>(clock, 'the forwarded request', limits, (caller) => {
        this.#run(payload, abort.signal, kind).then(
          (answer) => caller.resolve(answer),
          (error: unknown) => caller.reject(error),
        )
      })
    } catch (error) {
      abort.abort(error)
      throw error
    }
  }

  async #run(
    payload: Uint8Array,
    signal: AbortSignal,
    kind: ForwardKind | undefined,
  ): Promise<Uint8Array> {
    const { onForward, onReadIndex } = this.#parts
    if (kind === 'read-index') return onReadIndex(payload, signal)
    if (onForward === undefined)
      throw new RaftError('RAFT_RPC_UNSUPPORTED', UNSUPPORTED, { outcome: 'not-committed' })
    return onForward(payload, { signal })
  }

  #checkSize(payload: Uint8Array): void {
    const { maxForwardBytes } = this.#parts.config
    if (payload.length <= maxForwardBytes) return
    throw new RaftError(
      'RAFT_COMMAND_TOO_LARGE',
      `the payload has ${payload.length} bytes, more than maxForwardBytes (${maxForwardBytes})`,
      { outcome: 'not-committed', details: { size: payload.length, maxForwardBytes } },
    )
  }
}

/** Nothing was appended, and the same request may go through later. */
function wasNotAdmitted(error: unknown): boolean {
  return RaftError.is(error, 'RAFT_OVERLOADED') && error.outcome === 'not-committed'
}

/** The error of a request that its server did not begin to serve, told by the words of the refusal. */
function notServed(text: string): RaftError | undefined {
  if (text.includes(NOT_LEADER)) return notLeader(undefined)
  const outcome = 'not-committed'
  if (text.includes(OVERLOADED) || text.includes(TOO_MANY_COMMANDS))
    return new RaftError('RAFT_OVERLOADED', text, { retryable: true, outcome })
  if (text.includes(UNSUPPORTED)) return new RaftError('RAFT_RPC_UNSUPPORTED', text, { outcome })
  return undefined
}
