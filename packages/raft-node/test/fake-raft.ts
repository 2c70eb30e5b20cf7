// A stand-in for the server, whose role, leader and answers a test sets by hand.
import type { Raft, RaftEvents } from '@raftkit/raft-core'
import {
  decodeForward,
  encodeResults,
  type ForwardedResult,
} from '../src/forwarding/forward-message.ts'

type Server = Raft<Uint8Array>
type Listener = (event: never) => void

export class FakeRaft implements Pick<
  Server,
  | 'state'
  | 'leader'
  | 'currentTerm'
  | 'appliedIndex'
  | 'on'
  | 'apply'
  | 'applyLog'
  | 'barrier'
  | 'verifyLeader'
  | 'read'
  | 'readIndex'
  | 'forwardToLeader'
  | 'addVoter'
  | 'addNonvoter'
  | 'demoteVoter'
  | 'removeServer'
  | 'changeMembership'
  | 'replaceServer'
  | 'transferLeadership'
> {
  state: Server['state'] = 'follower'
  leader: Server['leader'] = undefined
  currentTerm = 1
  appliedIndex = 0
  /** Commands that this server was asked to apply, by their first byte. */
  readonly applied: number[] = []
  /** What `apply` does; set it to make it fail. */
  onApply: (data: Uint8Array) => Promise<Uint8Array> = async (data) => data
  /** What the leader does with a forwarded request; set it to make it fail. */
  onForwarded: (body: Uint8Array) => Promise<ForwardedResult> = async (body) => ({ ok: true, body })
  readonly #listeners = new Map<string, Set<Listener>>()

  readonly on: Server['on'] = (name, listener) => {
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    return () => void listeners.delete(listener)
  }

  emit<K extends keyof RaftEvents>(name: K, event: RaftEvents[K]): void {
    for (const listener of this.#listeners.get(name) ?? []) listener(event as never)
  }

  listenerCount(name: keyof RaftEvents): number {
    return this.#listeners.get(name)?.size ?? 0
  }

  lead(term: number): void {
    this.state = 'leader'
    this.currentTerm = term
    this.emit('leader-ready', { term })
  }

  follow(leader: Server['leader'], term = this.currentTerm): void {
    this.state = 'follower'
    this.currentTerm = term
    this.leader = leader
    this.emit('role-changed', { role: 'follower', term, reason: 'test' })
    this.emit('leader-changed', { term, ...(leader !== undefined && { leader }) })
  }

  apply: Server['apply'] = async (data) => {
    this.applied.push(data[0]!)
    return { index: this.applied.length, term: 1, response: await this.onApply(data) }
  }

  /** Barriers so far: each takes the next index. */
  barriers = 0
  /** What becomes of a confirmation of leadership; set it to make it wait or fail. */
  onVerify: () => Promise<void> = async () => {}

  readonly barrier: Server['barrier'] = async () => ({ index: ++this.barriers })
  readonly verifyLeader: Server['verifyLeader'] = () => this.onVerify()

  /** Entries that this server was asked to append with extensions. */
  readonly entries: { readonly data: Uint8Array; readonly extensions?: Uint8Array }[] = []

  readonly applyLog: Server['applyLog'] = async (entry) => {
    this.entries.push(entry)
    return { index: this.entries.length, term: 1, response: await this.onApply(entry.data) }
  }

  /** How reads were asked for. */
  readonly consistencies: (string | undefined)[] = []

  readonly read: Server['read'] = async (read, options) => {
    this.consistencies.push(options?.consistency)
    return read()
  }

  readonly readIndex: Server['readIndex'] = async () => 7

  /** The membership calls that this server got. */
  readonly membershipCalls: unknown[][] = []
  /** What becomes of them; set it to make them fail. */
  onMembership: () => Promise<{ readonly index: number }> = async () => ({ index: 9 })

  readonly addVoter: Server['addVoter'] = (...call) => this.#membership('addVoter', call)
  readonly addNonvoter: Server['addNonvoter'] = (...call) => this.#membership('addNonvoter', call)
  readonly demoteVoter: Server['demoteVoter'] = (...call) => this.#membership('demoteVoter', call)
  readonly removeServer: Server['removeServer'] = (...call) =>
    this.#membership('removeServer', call)

  readonly changeMembership: Server['changeMembership'] = (...call) =>
    this.#membership('changeMembership', call)

  readonly replaceServer: Server['replaceServer'] = (...call) =>
    this.#membership('replaceServer', call)
  readonly transferLeadership: Server['transferLeadership'] = async (...call) => {
    await this.#membership('transferLeadership', call)
  }

  #membership(name: string, call: readonly unknown[]): Promise<{ readonly index: number }> {
    this.membershipCalls.push([name, ...call])
    return this.onMembership()
  }

  forwardToLeader: Server['forwardToLeader'] = async (payload) =>
    encodeResults(
      await Promise.all(decodeForward(payload).map(({ body }) => this.onForwarded(body))),
    )
}
