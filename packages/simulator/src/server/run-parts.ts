// What a run of a server is made of, and what it tells.
import type { RpcRequest, ServerAddress, ServerId } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'

/** What a run tells its server. */
export interface RunEvents {
  /** A moment came that a crash may follow: `share` of such moments do. */
  onCrashPoint(share: number, what: string): void
  /** A request left; it may be kept for later. */
  onSent(address: string, request: RpcRequest): void
  /** True when the disk may be damaged: not too many others are. */
  mayLoseDisk(): boolean
  /** Raft has stopped by itself, or could not start. */
  onStopped(error: unknown): void
  /** Raft has stopped because it was removed. */
  onLeft(): void
}

/** Which server it is, and where it can be reached. */
export interface RunIdentity {
  /** Its place among the servers of the world. */
  readonly place: number
  readonly id: ServerId
  /** True for a member of the first configuration. */
  readonly isFirst: boolean
  /** The first is its own. */
  readonly addresses: readonly ServerAddress[]
}

/** Chance for the runs of a server, each use by itself. */
export interface RunChances {
  readonly turns: Stream
  readonly raft: Stream
  readonly apply: Stream
  readonly network: Stream
  readonly reads: Stream
  readonly service: Stream
}

/** The streams of one server. */
export function chancesOf(id: ServerId, stream: (name: string) => Stream): RunChances {
  return {
    turns: stream(`turns of ${id}`),
    raft: stream(`raft of ${id}`),
    apply: stream(`applying on ${id}`),
    network: stream(`connections of ${id}`),
    reads: stream(`reads of ${id}`),
    service: stream(`service on ${id}`),
  }
}
