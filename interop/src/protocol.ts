// What a driver and a server say to each other, one JSON value per line: requests to the server's standard input,
// answers and events from its standard output. Go's side is in go/driver.go and go/operations.go.
import type { ServerAddress, ServerId } from '@raftkit/interface'
import type { RaftConfig } from '@raftkit/raft-core'

/** A member of the cluster as both sides name it. */
export interface Member {
  readonly id: ServerId
  readonly address: ServerAddress
  readonly suffrage: 'voter' | 'nonvoter'
}

/** The options that both libraries have. */
export type ServerConfig = Partial<
  Pick<
    RaftConfig,
    | 'heartbeatTimeoutMs'
    | 'electionTimeoutMs'
    | 'leaderLeaseTimeoutMs'
    | 'commitTimeoutMs'
    | 'preVote'
    | 'trailingLogs'
    | 'snapshotThreshold'
    | 'snapshotIntervalMs'
  >
>

/** A fingerprint of the state: equal on two servers that applied the same commands. */
export interface Digest {
  readonly index: number
  readonly keys: number
  readonly sha256: string
}

/** A look at a server. */
export interface Status {
  readonly state: 'follower' | 'candidate' | 'leader' | 'stopped'
  readonly term: number
  /** Id of the leader that it knows; '' when none. */
  readonly leader: ServerId
  readonly firstIndex: number
  readonly lastIndex: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly snapshotIndex: number
  /** Snapshots taken from a leader since the process started. */
  readonly snapshotsInstalled: number
  readonly members: readonly Member[]
  readonly digest: Digest
}

/** Entries as they are on the wire, in base64; '' where there is none. */
export interface LogSlice {
  readonly firstIndex: number
  readonly entries: readonly string[]
}

/** A change of the membership; with `prevIndex`, only if the configuration is still that one. */
export interface MemberChange {
  readonly id: ServerId
  readonly address?: ServerAddress
  readonly prevIndex?: number
}

/** Every operation: what it takes and what it gives. */
export interface Operations {
  /** Takes part; with `members`, as a first member of a new cluster if there is no state yet. */
  readonly start: {
    args: { readonly members?: readonly Member[]; readonly config: ServerConfig }
    result: void
  }
  readonly status: { args: void; result: Status }
  readonly put: {
    args: { readonly key: string; readonly value: string }
    result: { readonly existed: boolean; readonly index: number }
  }
  readonly barrier: { args: void; result: void }
  readonly verify: { args: void; result: void }
  /** Every key and its value. */
  readonly state: { args: void; result: Readonly<Record<string, string>> }
  /** The entries `from..to` that are held. */
  readonly log: { args: { readonly from: number; readonly to: number }; result: LogSlice }
  readonly snapshot: { args: void; result: { readonly index: number } }
  /** Hands leadership over. */
  readonly transfer: {
    args: { readonly to: ServerId; readonly address: ServerAddress }
    result: void
  }
  readonly 'add-voter': { args: MemberChange; result: void }
  readonly 'add-nonvoter': { args: MemberChange; result: void }
  readonly 'demote-voter': { args: MemberChange; result: void }
  readonly 'remove-server': { args: MemberChange; result: void }
  /** Puts another server in the place of `id`, in one change. Node only: a Go server knows no such thing. */
  readonly 'replace-server': {
    args: { readonly id: ServerId; readonly by: Pick<Member, 'id' | 'address'> }
    result: void
  }
  /** Ends server and process in order. */
  readonly stop: { args: void; result: void }
}

/** A closed loop: `clients` commands are in flight at any time. */
export interface Load {
  readonly clients: number
  readonly commandBytes: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** What one load gave. */
export interface LoadResult {
  readonly commands: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly leaderChanges: number
}

/** What only the Go server does: it is also measured. */
export interface PeerOperations extends Operations {
  readonly start: {
    args: Operations['start']['args'] & {
      readonly config: { readonly maxAppendEntries?: number; readonly batchApplyCh?: boolean }
    }
    result: void
  }
  /** Tells of `measuring` when the warm-up is over. */
  readonly load: { args: Load; result: LoadResult }
  /** Processor time used so far. */
  readonly cpu: { args: void; result: { readonly microseconds: number } }
}

/** Driver → server. */
export interface Request {
  readonly id: number
  readonly op: string
  readonly args?: unknown
}

/** What is known of a command that failed. */
export type Outcome = 'not-committed' | 'unknown' | 'committed'

/** Server → driver. */
export interface Reply {
  readonly id: number
  readonly result?: unknown
  readonly error?: { readonly message: string; readonly outcome: Outcome }
}

/** Server → driver, unasked: it leads and has applied what earlier leaders committed, or a load is being measured. */
export interface Event {
  readonly event: 'leader' | 'measuring'
}

/** Server → driver, first of all: where it is reached. */
export interface Listening {
  readonly listening: ServerAddress
}
