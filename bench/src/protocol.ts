// What the benchmark's runner and its server processes say to each other over Node's process channel.
import type { Configuration, ServerAddress } from '@raftkit/interface'

/** Which stores a cluster runs on. */
export type StoreKind = 'store-level' | 'store-inmem'

/** Runner → server. */
export type Command =
  | { readonly type: 'start'; readonly configuration: Configuration; readonly bootstrap: boolean }
  | { readonly type: 'load'; readonly load: Load }
  | { readonly type: 'cpu' }
  | { readonly type: 'stop' }

/** A closed loop: `clients` commands are in flight at any time. */
export interface Load {
  readonly clients: number
  readonly commandBytes: number
  readonly warmUpMs: number
  readonly measureMs: number
}

/** Server → runner. */
export type Report =
  | { readonly type: 'listening'; readonly address: ServerAddress }
  | { readonly type: 'leader'; readonly term: number }
  | { readonly type: 'measuring' }
  | { readonly type: 'loaded'; readonly result: LoadResult }
  | { readonly type: 'cpu'; readonly microseconds: number }
  | { readonly type: 'failed'; readonly message: string }

/** What one load gave. */
export interface LoadResult {
  readonly commands: number
  readonly elapsedMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly leaderChanges: number
}
