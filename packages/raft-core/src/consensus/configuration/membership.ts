import {
  type Index,
  type IndexedConfiguration,
  membersOf,
  type Server,
  type ServerId,
} from '@raftkit/interface/protocol'
import { isVoter } from './quorum.ts'

const NO_CONFIGURATION: IndexedConfiguration = { configuration: { servers: [] }, index: 0 }

/** A joint configuration in the log, and the one that ended it; Infinity while that is not there. */
export interface JointSpan {
  readonly from: Index
  readonly until: Index
}

const NO_JOINT: JointSpan = { from: 0, until: 0 }

/**
 * The configurations of the log (§6). The latest one is in force from the moment it is appended, committed or not;
 * one that is truncated gives way to the one before it.
 */
export class Membership {
  /** Ascending by index; the first is the committed one, if any is. */
  #known: IndexedConfiguration[]
  #committed: IndexedConfiguration = NO_CONFIGURATION
  /** The last joint configuration up to the committed one. */
  #committedJoint = NO_JOINT

  /** `known`, oldest first. Those up to `commitIndex` are committed. */
  constructor(known: readonly IndexedConfiguration[], commitIndex: Index) {
    this.#known = [...known]
    this.commit(commitIndex)
  }

  /** The configuration in force. */
  get latest(): IndexedConfiguration {
    return this.#known.at(-1) ?? NO_CONFIGURATION
  }

  get committed(): IndexedConfiguration {
    return this.#committed
  }

  /** True while this server belongs to no cluster yet. */
  get isEmpty(): boolean {
    return this.latest.configuration.servers.length === 0
  }

  /** True while the latest configuration has two halves. */
  get isJoint(): boolean {
    return this.latest.configuration.next !== undefined
  }

  /** Where the log has its last joint configuration; from 0 until 0 when it has none. */
  get lastJoint(): JointSpan {
    let last = this.#committedJoint
    for (const known of this.#known) last = jointAfter(last, known)
    return last
  }

  /** The member with this id in the latest configuration, in either half. */
  find(id: ServerId): Server | undefined {
    for (const server of membersOf(this.latest.configuration)) if (server.id === id) return server
    return undefined
  }

  /** True when the latest configuration gives `id` a vote that it does not take away: in the joint state, in C_new. */
  isLastingVoter(id: ServerId): boolean {
    const { servers, next = servers } = this.latest.configuration
    return next.some((server) => server.id === id && isVoter(server))
  }

  /** True when the latest configuration gives `id` a vote, in either half. */
  isVoter(id: ServerId): boolean {
    return isVoter(this.find(id))
  }

  /**
   * True when `id` has a vote in the latest configuration, or in one from the committed one on: a server whose removal
   * is not committed may be needed to get it committed (dissertation §4.2.2).
   */
  mayBeVoter(id: ServerId): boolean {
    return this.#known.some(({ configuration }) =>
      membersOf(configuration).some((server) => server.id === id && isVoter(server)),
    )
  }

  /** True when the committed configuration gives `id` a vote. */
  isCommittedVoter(id: ServerId): boolean {
    return membersOf(this.#committed.configuration).some(
      (server) => server.id === id && isVoter(server),
    )
  }

  /** True when `id` is a member of the committed configuration or of a later one. */
  has(id: ServerId): boolean {
    return this.#known.some(({ configuration }) =>
      membersOf(configuration).some((server) => server.id === id),
    )
  }

  /** Takes up configurations at `from` and after it that were appended. True when there was one. */
  append(configurations: readonly IndexedConfiguration[], from: Index): boolean {
    let appended = false
    for (const configuration of configurations) {
      if (configuration.index < from) continue
      this.#known.push(configuration)
      appended = true
    }
    return appended
  }

  /** Rolls back configurations at `from` and after it (§5.3). True when there was one. */
  truncate(from: Index): boolean {
    const before = this.#known.length
    while (this.#known.length > 0 && this.latest.index >= from) this.#known.pop()
    return this.#known.length !== before
  }

  /** Everything up to `commitIndex` is committed. True when that commits a configuration. */
  commit(commitIndex: Index): boolean {
    let position = this.#known.length - 1
    while (position >= 0 && this.#known[position]!.index > commitIndex) position--
    if (position < 0 || this.#known[position] === this.#committed) return false
    this.#committed = this.#known[position]!
    for (const known of this.#known.splice(0, position))
      this.#committedJoint = jointAfter(this.#committedJoint, known)
    return true
  }

  /** A snapshot took over: its configuration is committed, later ones of a kept log stay in force. */
  install(configuration: IndexedConfiguration, keepAfter: Index): void {
    const later = this.#known.filter((known) => known.index > keepAfter)
    this.#known = [configuration, ...later]
    this.#committed = configuration
  }
}

/** The last joint configuration, once `known` follows those looked at. */
function jointAfter(last: JointSpan, { index, configuration }: IndexedConfiguration): JointSpan {
  if (configuration.next !== undefined) return { from: index, until: Infinity }
  return last.until === Infinity ? { from: last.from, until: index } : last
}
