import {
  type Configuration,
  type Index,
  LogType,
  type OpenSnapshot,
  type ServerAddress,
  type ServerId,
  type SnapshotMeta,
  type Term,
} from '@raftkit/interface'
import type { RaftConfig } from './config.ts'
import { checkedConfiguration } from './configuration-check.ts'
import type { ConfigurationChange } from './consensus/configuration/configuration-change.ts'
import type { KnownLeader } from './consensus/effects.ts'
import {
  type AddedServer,
  checkChange,
  type MembershipChange,
  planOf,
} from './membership-arguments.ts'
import { checkEntry, type EntryToApply } from './entry-to-apply.ts'
import type { RaftEvents, RaftState } from './raft-events.ts'
import type { RaftOptions } from './raft-options.ts'
import type { RaftStats } from './raft-stats.ts'
import { reloadableOf, type ReloadableConfig } from './reloadable-config.ts'
import type { WaitOptions } from './runtime/calls/caller.ts'
import type { MembershipOptions, MembershipResult } from './runtime/calls/membership-changes.ts'
import type { ApplyResult } from './runtime/calls/proposals.ts'
import { type ReadOptions, readKindOf } from './read-options.ts'
import { withOutcome } from './runtime/calls/refusals.ts'
import { checkRestore } from './restore-arguments.ts'
import type { RestoreResult, RestoreSource } from './runtime/snapshots/restores.ts'
import type { Server } from './runtime/server.ts'
import { startServer } from './start-server.ts'
import { configurationOf, lastContactOf, type RaftConfiguration, statsOf } from './stats.ts'

/**
 * One running Raft server. Start it with {@link Raft.start}; a cluster that is new needs `bootstrapCluster` once before.
 * Every promise settles: with the result, or with a `RaftError` whose `outcome` says what is known of the command.
 */
export class Raft<R = unknown> {
  readonly id: ServerId
  readonly address: ServerAddress
  readonly #server: Server<R>

  private constructor(id: ServerId, address: ServerAddress, server: Server<R>) {
    this.id = id
    this.address = address
    this.#server = server
  }

  /**
   * Loads what the server remembers, restores its newest snapshot and takes part; with `restoreCommittedLogs` it resolves
   * when the state machine has what was known to be committed. Rejects with `RAFT_INVALID_CONFIG`, `RAFT_ABORTED`
   * (`options.signal`), `RAFT_STORE_INCOMPATIBLE`, or with what is wrong with the stores or the state machine: a server that
   * cannot read its memory does not start.
   */
  static async start<R>(options: RaftOptions<R>): Promise<Raft<R>> {
    const server = await startServer(options)
    return new Raft(options.id, options.transport.localAddress, server)
  }

  /**
   * Replicates a command and resolves when this server's state machine has applied it. The bytes are copied before the
   * call returns. Ending the wait (signal, timeout) does not take back a command that was appended: see `outcome`.
   */
  apply(data: Uint8Array, options?: WaitOptions): Promise<ApplyResult<R>> {
    return this.applyLog({ data }, options)
  }

  /** As {@link apply}, with bytes that travel beside the command. */
  applyLog(entry: EntryToApply, options?: WaitOptions): Promise<ApplyResult<R>> {
    const refusal = checkEntry(entry)
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#server.propose(LogType.command, entry.data, entry.extensions, options)
  }

  /** Resolves when the state machine has applied everything that was appended before; its own entry takes an index. */
  async barrier(options?: WaitOptions): Promise<{ readonly index: Index }> {
    const none = new Uint8Array(0)
    const { index } = await this.#server.propose(LogType.barrier, none, undefined, options)
    return { index }
  }

  /** Resolves when a quorum of voters has confirmed, after the call, that this server leads. */
  async verifyLeader(options?: WaitOptions): Promise<void> {
    await this.#server.read('leadership', options)
  }

  /** An index that covers every command acknowledged before the call (dissertation §6.4). Leader only. */
  readIndex(options?: WaitOptions): Promise<Index> {
    return this.#server.read('index', options)
  }

  /**
   * Runs `fn` when this server's state machine is as new as `options.consistency` asks for; on any server. Commands may be
   * applied while a promise of `fn` is pending, and `fn` may run while one of `apply` is.
   */
  async read<T>(fn: () => T | Promise<T>, options: ReadOptions = {}): Promise<T> {
    const kind = readKindOf(options, () => this.#server.staleness())
    if (kind !== undefined) await this.#server.read(kind, options)
    const { standing, lanes } = this.#server
    while (lanes.applier.isReplacing && standing.stoppedBy === undefined)
      await lanes.reads.request('whole', options)
    if (standing.stoppedBy !== undefined) throw standing.stoppedBy
    return fn()
  }

  /** Saves the state machine now. Rejects with `RAFT_NOTHING_NEW_TO_SNAPSHOT` when the last snapshot covers it. */
  snapshot(options?: WaitOptions): Promise<SnapshotMeta> {
    const { standing, lanes } = this.#server
    if (standing.stoppedBy !== undefined) return Promise.reject(standing.stoppedBy)
    return lanes.snapshotter.request(options)
  }

  /**
   * Opens a snapshot of this server, to keep a copy of it elsewhere: that of `id` (`snapshot()` tells it), or the newest.
   * Close it when done. Rejects with `RAFT_SNAPSHOT_NOT_FOUND` or `RAFT_SNAPSHOT_CORRUPT`. Works after a shutdown too.
   */
  openSnapshot(id?: string): Promise<OpenSnapshot> {
    return this.#server.lanes.snapshotter.open(id)
  }

  /**
   * Replaces the state of the whole cluster by a snapshot from elsewhere, a backup for example: `meta` as it was when it
   * was taken, `state` its bytes. Leader only; no command is taken meanwhile, and those under way reject with
   * `RAFT_ABORTED_BY_RESTORE`. Resolves when a quorum has the restored state. A stream that ends early or late rejects with
   * `RAFT_SNAPSHOT_FAILED` and nothing has changed; a state machine that cannot take it up stops this server. When
   * leadership is lost in between, the outcome is `unknown`: the next leader may have the restored state, or a minority of
   * servers has it alone; these stop when they see that, and must be emptied.
   */
  async restore(
    meta: RestoreSource,
    state: AsyncIterable<Uint8Array>,
    options?: WaitOptions,
  ): Promise<RestoreResult> {
    const { standing, lanes } = this.#server
    const refusal = checkRestore(meta) ?? standing.refusal()
    if (refusal !== undefined) throw withOutcome(refusal, 'not-committed')
    return lanes.restores.request(meta, state, options)
  }

  /**
   * Gives the server a vote, or a new address. One that is behind is staged first: it receives the log without a vote
   * until it has caught up, so the quorum never waits for it (dissertation §4.2.1); the call then resolves when it has
   * its vote, and giving up the wait leaves it a nonvoter. `stage: false` gives the vote at once, as hashicorp/raft does; but not to a server that
   * is not known to be raftkit once several members were changed at once (it might be needed and could not be served).
   */
  addVoter(
    id: ServerId,
    address: ServerAddress,
    { stage = true, ...options }: MembershipOptions & { readonly stage?: boolean } = {},
  ): Promise<MembershipResult> {
    const type = stage ? 'stage-voter' : 'add-voter'
    return this.#changeMembership({ type, id, address }, options)
  }

  /** Adds a server that receives the log and has no vote, or changes its address. A voter keeps its vote. */
  addNonvoter(
    id: ServerId,
    address: ServerAddress,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'add-nonvoter', id, address }, options)
  }

  /** Takes a server's vote away. A leader that demotes itself hands leadership over when that is committed. */
  demoteVoter(id: ServerId, options?: MembershipOptions): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'demote-voter', id }, options)
  }

  /**
   * Takes a server out of the cluster; it is told so if it can be reached. A leader that removes itself hands over
   * when that is committed and shuts down (`shutdownOnRemove`). Its id may be used again once this has resolved.
   */
  removeServer(id: ServerId, options?: MembershipOptions): Promise<MembershipResult> {
    return this.#changeMembership({ type: 'remove-server', id }, options)
  }

  /**
   * Changes several members at once (Raft §6). Servers that win a vote are taken in without one and catch up first; only
   * then the change begins, as one step: until it is done, every decision needs a majority of the voters before and one of
   * the voters after it, and whoever leads then ends it. A change of one vote at most takes one entry, as those above do.
   *
   * While servers catch up, the caller may give up (`not-committed`: those taken in stay as nonvoters, and asking again
   * goes on from there); later the change is made all the same (`unknown`). Rejects before anything changes: with
   * `RAFT_INVALID_ARGUMENT` when it names nobody or somebody twice, `RAFT_UNKNOWN_SERVER`, `RAFT_DUPLICATE_ADDRESS`,
   * `RAFT_NO_VOTER_LEFT`, `RAFT_CONFIGURATION_CHANGED`; with `RAFT_JOINT_UNSUPPORTED` while a member, or a server to be
   * added, is not raftkit. Other changes may be made while servers catch up: one that touches this one ends it with
   * `RAFT_CONFIGURATION_CHANGED`. `prevIndex` is looked at when it begins.
   */
  async changeMembership(
    change: MembershipChange,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    return this.#changeMembership(planOf(change), options)
  }

  /**
   * Puts a new server in the place of another one, dead or alive, in one change (see {@link changeMembership}): it catches
   * up as a nonvoter, and has a vote in the end if the old one had. It needs an id and an address of its own.
   */
  async replaceServer(
    oldId: ServerId,
    { id, address }: Pick<AddedServer, 'id' | 'address'>,
    options?: MembershipOptions,
  ): Promise<MembershipResult> {
    const by = { id, address }
    return this.#changeMembership({ type: 'replace-server', id: oldId, by }, options)
  }

  /**
   * Gives this server, which runs and belongs to no cluster, the first configuration of a new one; resolves when that is
   * durable. Give every member the same. Rejects with `RAFT_CANT_BOOTSTRAP` when the server has state, with
   * `RAFT_NOT_VOTER` when it is not a voter of the configuration, and with `RAFT_INVALID_CONFIGURATION`.
   */
  async bootstrapCluster(configuration: Configuration, options?: WaitOptions): Promise<void> {
    const { standing, lanes } = this.#server
    const checked = checkedConfiguration(configuration)
    if (standing.stoppedBy !== undefined) throw standing.stoppedBy
    await lanes.bootstraps.request(checked, options)
  }

  /** Hands leadership to `to`, or to the voter that is furthest; resolves when this server does not lead any more. */
  transferLeadership(to?: ServerId, options?: WaitOptions): Promise<void> {
    const { standing, lanes } = this.#server
    const refusal = standing.refusal()
    return refusal === undefined ? lanes.transfers.request(to, options) : Promise.reject(refusal)
  }

  /** Has the leader's `onForward` answer the payload; runs it here when this server leads. */
  forwardToLeader(payload: Uint8Array, options?: WaitOptions): Promise<Uint8Array> {
    return this.#server.lanes.forwarding.send(payload, options)
  }

  /** Resolves when a command would be admitted: await it between commands to stay within the limits. */
  whenAdmitted(options?: WaitOptions): Promise<void> {
    const refusal = this.#server.standing.refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return this.#server.lanes.proposals.admission.whenOpen(options)
  }

  get state(): RaftState {
    return this.#server.standing.state
  }

  /** The leader that this server knows of. */
  get leader(): KnownLeader | undefined {
    return this.#server.standing.leader
  }

  get currentTerm(): Term {
    return this.#server.standing.term
  }

  get lastIndex(): Index {
    return this.#server.status().lastIndex
  }

  get commitIndex(): Index {
    return this.#server.lanes.applier.commitIndex
  }

  /** The state machine has applied everything up to here. */
  get appliedIndex(): Index {
    return this.#server.lanes.applier.appliedIndex
  }

  /** Milliseconds since the last contact with a leader; 0 on the leader, undefined when there never was any. */
  get lastContact(): number | undefined {
    const { standing, clock } = this.#server
    return lastContactOf({ standing, clock, status: this.#server.status() })
  }

  /** The options that hold at present. */
  get config(): RaftConfig {
    return { ...this.#server.config }
  }

  /** Those of {@link config} that {@link reloadConfig} takes. */
  reloadableConfig(): ReloadableConfig {
    return reloadableOf(this.#server.config)
  }

  /**
   * Changes options while the server runs; what is left out keeps its value. All of them are checked together, and
   * with `RAFT_INVALID_CONFIG` nothing has changed. Waits that are under way begin anew with the new times.
   */
  reloadConfig(changes: Partial<ReloadableConfig>): void {
    const { stoppedBy } = this.#server.standing
    if (stoppedBy !== undefined) throw stoppedBy
    this.#server.reload(changes)
  }

  stats(): RaftStats {
    return statsOf(this.id, this.#server)
  }

  configuration(): RaftConfiguration {
    return configurationOf(this.#server)
  }

  /** Calls `listener` for each event of that name; returns the function that ends it. */
  on<K extends keyof RaftEvents>(name: K, listener: (event: RaftEvents[K]) => void): () => void {
    return this.#server.events.on(name, listener)
  }

  /**
   * Takes no further part: whoever waits gets `RAFT_SHUTDOWN` at once, the transport is closed, and what is being
   * written is waited for, at most `timeoutMs` (default 5000). The stores stay open: whoever opened them closes them.
   */
  shutdown(options: { readonly timeoutMs?: number } = {}): Promise<void> {
    return this.#server.shutdown(options.timeoutMs)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.shutdown()
  }

  #changeMembership(
    change: ConfigurationChange,
    options: MembershipOptions = {},
  ): Promise<MembershipResult> {
    const { standing, lanes } = this.#server
    const refusal = checkChange(change, options) ?? standing.refusal()
    return refusal === undefined
      ? lanes.membershipChanges.request(change, options)
      : Promise.reject(withOutcome(refusal, 'not-committed'))
  }
}
