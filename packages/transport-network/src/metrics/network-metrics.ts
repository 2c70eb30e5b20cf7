// What a NetworkTransport measures. docs/metrics.md lists it.
import type { HistogramDescription, MetricDescription } from '@raftkit/interface'

/** Seconds: handling a request takes microseconds unless something is wrong. */
const BUCKETS: readonly number[] = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5,
]

function perType(name: string, help: string): HistogramDescription {
  const buckets = BUCKETS
  return { name: `raft_net_${name}_seconds`, help, unit: 'seconds', labels: ['type'], buckets }
}

export const rpcDecode: HistogramDescription = perType(
  'rpc_decode_duration',
  'Decoding one received request; type as in raft_rpc_duration_seconds.',
)
export const rpcEnqueue: HistogramDescription = perType(
  'rpc_enqueue_duration',
  'Handing one received request over to the server.',
)
export const rpcRespond: HistogramDescription = perType(
  'rpc_respond_duration',
  'From then on until its answer was on its way, in the order of the requests.',
)
export const openConnections: MetricDescription = {
  name: 'raft_net_connections',
  help: 'Open connections; kind is inbound, outbound (the idle ones too) or idle.',
  unit: 'count',
  labels: ['kind'],
}

/** The metrics of a NetworkTransport, without the labels that its owner adds. */
export const networkMetricCatalogue: readonly MetricDescription[] = [
  rpcDecode,
  rpcEnqueue,
  rpcRespond,
  openConnections,
]
