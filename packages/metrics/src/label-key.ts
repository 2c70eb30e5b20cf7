import type { MetricLabels } from '@raftkit/interface'

/** One text for each set of label values, whatever their order. */
export function keyOf(labels: MetricLabels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
