// What a LevelStore measures. docs/metrics.md lists it.
import type { HistogramDescription, MetricDescription } from '@raftkit/interface'

/** Seconds: from a disk that acknowledges out of its cache to one that hangs. */
const BUCKETS: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]

function duration(name: string, help: string): HistogramDescription {
  const buckets = BUCKETS
  return { name: `raft_level_${name}_seconds`, help, unit: 'seconds', labels: [], buckets }
}

export const write: HistogramDescription = duration(
  'write_duration',
  'One synced write of LevelDB.',
)
export const boundarySync: HistogramDescription = duration(
  'boundary_sync_duration',
  'One synced write of the boundary file.',
)
export const writtenBytes: MetricDescription = {
  name: 'raft_level_written_bytes_total',
  help: 'Bytes of keys and values written to LevelDB; what it compacts comes on top.',
  unit: 'bytes',
  labels: [],
}
export const logEntries: MetricDescription = {
  name: 'raft_level_log_entries',
  help: 'Entries in the log store.',
  unit: 'count',
  labels: [],
}

/** The metrics of a LevelStore, without the labels that its owner adds. */
export const levelMetricCatalogue: readonly MetricDescription[] = [
  write,
  boundarySync,
  writtenBytes,
  logEntries,
]
