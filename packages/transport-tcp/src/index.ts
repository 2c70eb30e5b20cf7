export { createTcpTransport, type TcpTransportOptions } from './create-tcp-transport.ts'
export type { TcpStreamOptions, TcpTlsOptions } from './options.ts'
export { TcpStreamLayer } from './tcp-stream-layer.ts'
