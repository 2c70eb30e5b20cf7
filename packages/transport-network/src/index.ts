export {
  formatAddress,
  isUnspecifiedHost,
  parseAddress,
  resolveListenAddress,
  type HostPort,
  type ListenAddress,
} from './address.ts'
export { networkMetricCatalogue } from './metrics/network-metrics.ts'
export { NetworkTransport, type NetworkTransportStats } from './network-transport.ts'
export {
  DEFAULT_NETWORK_LIMITS,
  type NetworkLimits,
  type NetworkTransportOptions,
} from './options.ts'
export {
  listenAt,
  secureContextOptions,
  unreadableCredentials,
  type Pem,
  type TlsCredentials,
} from './server-socket.ts'
