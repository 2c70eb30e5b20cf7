import type { Clock, Logger, RaftError, RpcHandler } from '@raftkit/interface'
import type { WireLimits } from '@raftkit/wire'
import type { NetworkMeter } from '../metrics/network-meter.ts'
import type { NetworkLimits } from '../options.ts'

/** An accepted connection as the transport sees it. */
export interface AcceptedConnection {
  /** It never sent a whole request. */
  readonly isStranger: boolean
  /** No request of it is received or handled. */
  readonly isIdle: boolean
  /** `now` of its last request. */
  readonly lastRequestAt: number
  /** Bytes of its requests, unanswered or not yet whole. */
  readonly heldBytes: number
  /** Ends the connection; handlers learn of it by their signal, a reader of a snapshot by an error. Idempotent. */
  close(reason: RaftError): void
}

/** What an accepted connection needs from the transport. */
export interface InboundHost {
  readonly handle: RpcHandler
  readonly limits: NetworkLimits
  readonly wireLimits: Partial<WireLimits>
  readonly clock: Clock
  readonly logger: Logger
  /** Undefined: nothing is measured. */
  readonly meter: NetworkMeter | undefined
  /** The connection holds that many bytes more, or fewer, than before. */
  readonly onHeld: (bytes: number) => void
  readonly onGone: (connection: AcceptedConnection) => void
}
