import { NetworkTransport, type NetworkTransportOptions } from '@raftkit/transport-network'
import type { WsStreamOptions } from './options.ts'
import { WsStreamLayer } from './ws-stream-layer.ts'

/** Options of {@link createWsTransport}: those of the WebSocket stream layer and those of the transport. */
export type WsTransportOptions = WsStreamOptions & Omit<NetworkTransportOptions, 'stream'>

/**
 * Listens for WebSockets, on a port of its own or attached to an HTTP server, and resolves with a transport that
 * runs hashicorp/raft's protocol inside them. Rejects with `RAFT_INVALID_ADDRESS`, `RAFT_INVALID_CONFIG` or
 * `RAFT_LISTEN_FAILED`.
 */
export async function createWsTransport(options: WsTransportOptions): Promise<NetworkTransport> {
  return NetworkTransport.open({ ...options, stream: new WsStreamLayer(options) })
}
