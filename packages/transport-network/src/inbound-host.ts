import type { Clock, Logger, RpcHandler } from '@raftkit/interface'
import type { WireLimits } from '@raftkit/wire'
import type { InboundConnection } from './inbound-connection.ts'
import type { NetworkLimits } from './options.ts'

/** What an accepted connection needs from the transport. */
export interface InboundHost {
  readonly handle: RpcHandler
  readonly limits: NetworkLimits
  readonly wireLimits: Partial<WireLimits>
  readonly clock: Clock
  readonly logger: Logger
  /** The connection holds that many bytes more, or fewer, than before. */
  readonly onHeld: (bytes: number) => void
  readonly onGone: (connection: InboundConnection) => void
}
