import { RaftError, type Index, type ServerAddress, type ServerId } from '@raftkit/interface'
import type {
  MembershipChange,
  MembershipResult,
  Raft,
  RaftConfiguration,
} from '@raftkit/raft-core'
import { Deadline, type WaitOptions } from './deadline.ts'
import { decodeIndex } from './forwarding/leader-service.ts'
import { LeadershipWatch } from './leadership/leadership-watch.ts'
import type { LeadershipCallback } from './leadership/leadership.ts'
import {
  DEFAULT_MEMBERSHIP_TIMEOUT_MS,
  encodeMembershipRequest,
  type MembershipOptions,
  type MembershipRequest,
  type ReplacingServer,
} from './forwarding/membership-request.ts'
import type { NodeAssembly } from './node-assembly.ts'
import { DEFAULT_APPLY_TIMEOUT_MS } from './node-options.ts'
import { caughtUp } from './readiness.ts'
import { Router } from './forwarding/router.ts'
import { SessionClient } from './sessions/session-client.ts'
import { settledWithin } from './settled-within.ts'

/** How a query is answered. */
export interface QueryOptions extends WaitOptions {
  /**
   * `linearizable` (default): from the leader, after it made sure that it still leads; sees every command that
   * was acknowledged before the call. `stale`: from this node as it is, at once and without any other node.
   */
  readonly consistency?: 'linearizable' | 'stale'
}

/** How a node stops. */
export interface StopOptions {
  /** Hand leadership to another node first, so that the cluster need not wait for an election. Default true. */
  readonly transferLeadership?: boolean
  /** Milliseconds for the hand-over and the leadership callbacks, each; after that they are given up. Default 5000. */
  readonly timeoutMs?: number
}

/** How long `whenReady` waits when the call does not say: milliseconds. */
export const DEFAULT_READY_TIMEOUT_MS = 30_000

/** Default of {@link StopOptions.timeoutMs}. */
export const DEFAULT_STOP_TIMEOUT_MS = 5000

/** One running node of a cluster. Made by `createRaftNode`. */
export class RaftNode<Command, Response, Query, Answer> {
  /** The server inside, for everything that the node does not wrap. Its commands are encoded bytes. */
  readonly raft: Raft<Uint8Array>
  readonly #assembly: NodeAssembly<Command, Response, Query, Answer>
  readonly #router: Router
  readonly #sessions: SessionClient | undefined
  readonly #leadership: LeadershipWatch
  #stopped: Promise<void> | undefined

  constructor(assembly: NodeAssembly<Command, Response, Query, Answer>) {
    const { raft, service, forward, sessions, logger, clock, random } = assembly
    this.raft = raft
    this.#assembly = assembly
    this.#router = new Router(raft, service, forward, raft.config.rpcTimeoutMs, clock)
    this.#sessions = sessions && new SessionClient(this.#router, sessions, random)
    this.#leadership = new LeadershipWatch(raft, logger)
  }

  get id(): ServerId {
    return this.raft.id
  }

  get address(): ServerAddress {
    return this.raft.address
  }

  /** Whether this node leads, as far as it knows. For decisions that must be safe use {@link onLeadership}. */
  get isLeader(): boolean {
    return this.raft.state === 'leader'
  }

  /** Where the leader is that this node knows of; undefined when it knows of none. */
  get leaderAddress(): ServerAddress | undefined {
    return this.raft.leader?.address
  }

  /**
   * Replicates a command and returns its response, from any node: a follower forwards it to the leader. Waits for
   * a leader when there is none. Resolves when the command is durable on a majority and was applied by the
   * leader. Default timeout {@link DEFAULT_APPLY_TIMEOUT_MS}.
   *
   * A rejection says in `outcome` what is known: `not-committed` (safe to send again), `unknown` (it may or may
   * not take effect; send again only what does no harm twice) or `committed`. With `sessions` the node itself sends a
   * command again until the time is up, and it takes effect once; without, only when it is known not to have done so.
   */
  async apply(command: Command, options?: WaitOptions): Promise<Response> {
    this.#checkRunning()
    const deadline = this.#deadline(options, DEFAULT_APPLY_TIMEOUT_MS)
    const body = this.#assembly.stateMachine.encodeCommand(command)
    const response = await (this.#sessions === undefined
      ? this.#router.route('command', body, deadline)
      : this.#sessions.apply(body, deadline))
    return this.#assembly.stateMachine.decodeResponse(response)
  }

  /** Answers a query, from any node. Default timeout {@link DEFAULT_APPLY_TIMEOUT_MS}. */
  async query(query: Query, options?: QueryOptions): Promise<Answer> {
    this.#checkRunning()
    const deadline = this.#deadline(options, DEFAULT_APPLY_TIMEOUT_MS)
    const { stateMachine, service } = this.#assembly
    const body = stateMachine.encodeQuery(query)
    const answer =
      options?.consistency === 'stale'
        ? await service.answerStale(body)
        : await this.#router.route('query', body, deadline)
    return stateMachine.decodeAnswer(answer)
  }

  /**
   * Resolves when a leader is known and this node has applied everything that was committed when it was asked:
   * what a readiness probe wants to know. Default timeout {@link DEFAULT_READY_TIMEOUT_MS}.
   */
  async whenReady(options?: WaitOptions): Promise<void> {
    this.#checkRunning()
    await caughtUp(this.raft, this.#router, this.#deadline(options, DEFAULT_READY_TIMEOUT_MS))
  }

  /**
   * Calls `callback` whenever this node begins to lead (its state machine has then applied everything before its
   * term), at once when it leads already. The callback's `signal` is aborted when leadership is over. Calls do
   * not overlap. Returns the function that ends it.
   */
  onLeadership(callback: LeadershipCallback): () => void {
    return this.#leadership.onLeadership(callback)
  }

  /** The members as this node knows them, and up to where configurations are committed. */
  configuration(): RaftConfiguration {
    return this.raft.configuration()
  }

  /**
   * Gives a node a vote, or a new address; from any node, as all membership calls. One that is behind receives the
   * log without a vote until it has caught up, and the call resolves when it has its vote; `stage: false` gives the
   * vote at once. Start the new node with `bootstrap: false`. Default timeout {@link DEFAULT_MEMBERSHIP_TIMEOUT_MS}.
   */
  addVoter(
    id: ServerId,
    address: ServerAddress,
    { stage = true, ...options }: MembershipOptions & { readonly stage?: boolean } = {},
  ): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'add-voter', id, address, stage }, options)
  }

  /** Adds a node that receives the log and has no vote, or changes its address. A voter keeps its vote. */
  addNonvoter(
    id: ServerId,
    address: ServerAddress,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'add-nonvoter', id, address }, options)
  }

  /** Takes a node's vote away. A leader that loses its own hands leadership over. */
  demoteVoter(id: ServerId, options?: MembershipOptions): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'demote-voter', id }, options)
  }

  /** Takes a node out of the cluster. A leader that is taken out hands over and shuts down. */
  removeServer(id: ServerId, options?: MembershipOptions): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'remove-server', id }, options)
  }

  /**
   * Changes several members at once; from any node. Those that win a vote catch up first, then the change is made as one
   * step, with majorities of the old and of the new voters (Raft §6). Give new nodes `bootstrap: false`. A call that ends
   * while nodes catch up changed nothing but that the new ones are nonvoters, and may be made again. Rejects before
   * anything changes when it makes no sense, and with `RAFT_JOINT_UNSUPPORTED` while a member is a hashicorp/raft server.
   * Default timeout {@link DEFAULT_MEMBERSHIP_TIMEOUT_MS}.
   */
  changeMembership(
    change: MembershipChange,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'change-membership', change }, options)
  }

  /**
   * Puts a new node in the place of another one, dead or alive, in one change; from any node. The new one catches up
   * first. Start it with `bootstrap: false`, at an address of its own. See {@link changeMembership}.
   */
  replaceServer(
    oldId: ServerId,
    by: ReplacingServer,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'replace-server', id: oldId, by }, options)
  }

  /**
   * Hands leadership to another node, to the most advanced one unless `to` names one; from any node. Resolves when
   * the old leader leads no more. Default timeout {@link DEFAULT_MEMBERSHIP_TIMEOUT_MS}.
   */
  async transferLeadership(to?: ServerId, options?: WaitOptions): Promise<void> {
    const type = 'transfer-leadership'
    await this.#askLeader(to === undefined ? { type } : { type, to }, options)
  }

  /** Hands over leadership, ends callbacks, stops the server and closes its files and sockets. Idempotent. */
  stop(options: StopOptions = {}): Promise<void> {
    this.#stopped ??= this.#stop(options)
    return this.#stopped
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  async #stop(options: StopOptions): Promise<void> {
    const { transferLeadership = true, timeoutMs = DEFAULT_STOP_TIMEOUT_MS } = options
    const { logger, clock, closeParts } = this.#assembly
    if (transferLeadership && this.isLeader && this.#hasSuccessor()) {
      try {
        await this.raft.transferLeadership(undefined, { timeoutMs })
      } catch (error) {
        logger.warn({ err: error, id: this.id }, 'stops without having handed over leadership')
      }
    }
    this.#router.close(stopping())
    const settled = await settledWithin(clock, timeoutMs, this.#leadership.close())
    if (!settled)
      logger.warn({ id: this.id, timeoutMs }, 'stops while a leadership callback still runs')
    try {
      await this.raft.shutdown()
    } finally {
      await closeParts()
    }
  }

  async #changeMembership(
    request: Exclude<MembershipRequest, { readonly type: 'transfer-leadership' }>,
    { prevIndex, ...wait }: MembershipOptions = {},
  ): Promise<MembershipResult> {
    const asked = prevIndex === undefined ? request : { ...request, prevIndex }
    return { index: await this.#askLeader(asked, wait) }
  }

  async #askLeader(request: MembershipRequest, options: WaitOptions | undefined): Promise<Index> {
    this.#checkRunning()
    const deadline = this.#deadline(options, DEFAULT_MEMBERSHIP_TIMEOUT_MS)
    const body = encodeMembershipRequest(request)
    return decodeIndex(await this.#router.route('membership', body, deadline))
  }

  #deadline(options: WaitOptions | undefined, defaultTimeoutMs: number): Deadline {
    return new Deadline(options, defaultTimeoutMs, this.#assembly.clock)
  }

  #hasSuccessor(): boolean {
    const { servers, next = servers } = this.raft.configuration().configuration
    return next.some((server) => server.suffrage === 'voter' && server.id !== this.id)
  }

  #checkRunning(): void {
    if (this.#stopped !== undefined) throw stopping()
  }
}

function stopping(): RaftError {
  return new RaftError('RAFT_SHUTDOWN', 'This node is stopping or has stopped.', {
    outcome: 'not-committed',
  })
}
