export { type LinkFaults, NO_FAULTS } from './faults.ts'
export { InmemNetwork, type InmemNetworkOptions } from './network.ts'
export type { MessageFilter, NetworkMessage } from './fabric.ts'
export { InmemTransport, type InmemTransportOptions } from './transport.ts'
