import type { ServerId } from '@raftkit/interface'
import { silentLogger } from '@raftkit/raft-node'
import type { RaftConfig } from '@raftkit/raft-core'

/** What a node is told of its place, which the world decides: it bootstraps nothing, opens nothing and logs nothing. */
export interface NodePlace {
  readonly id: ServerId
  readonly address: string
  readonly peers: readonly { readonly id: ServerId; readonly address: string }[]
  readonly dataDir: string
  readonly bootstrap: false
  readonly logger: typeof silentLogger
  readonly config: Partial<RaftConfig>
}

/** The place of a server. Where it is reached its transport knows: the address here only has the form of one. */
export function nodePlace(id: ServerId, config: RaftConfig): NodePlace {
  const address = `${id}:1`
  const peers = [{ id, address }]
  return {
    id,
    address,
    peers,
    dataDir: 'none',
    bootstrap: false,
    logger: silentLogger,
    config,
  }
}
