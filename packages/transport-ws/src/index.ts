export { createWsTransport, type WsTransportOptions } from './create-ws-transport.ts'
export type { Pem, WsStreamOptions, WsTlsOptions } from './options.ts'
export { SUBPROTOCOL } from './upgrade.ts'
export { WsStreamLayer } from './ws-stream-layer.ts'
