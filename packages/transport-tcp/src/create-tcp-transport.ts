import { NetworkTransport, type NetworkTransportOptions } from '@raftkit/transport-network'
import type { TcpStreamOptions } from './options.ts'
import { TcpStreamLayer } from './tcp-stream-layer.ts'

/** Options of {@link createTcpTransport}: those of the TCP stream layer and those of the transport. */
export type TcpTransportOptions = TcpStreamOptions & Omit<NetworkTransportOptions, 'stream'>

/**
 * Listens on TCP, or TLS, and resolves with a transport that speaks hashicorp/raft's protocol. Rejects with
 * `RAFT_INVALID_ADDRESS`, `RAFT_INVALID_CONFIG` or `RAFT_LISTEN_FAILED`.
 */
export async function createTcpTransport(options: TcpTransportOptions): Promise<NetworkTransport> {
  return NetworkTransport.open({ ...options, stream: new TcpStreamLayer(options) })
}
