import type { MetricLabels } from '@raftkit/interface'
import { Histogram, type HistogramConfiguration } from 'prom-client'
import { BucketCounts } from './bucket-counts.ts'
import { keyOf } from './label-key.ts'

interface Child {
  readonly labels: MetricLabels
  readonly counts: BucketCounts
}

interface Configuration extends Omit<HistogramConfiguration<string>, 'buckets'> {
  readonly buckets: readonly number[]
}

const families = new WeakMap<
  Histogram,
  { readonly children: Map<string, Child>; readonly buckets: readonly number[] }
>()

/**
 * A histogram of prom-client that counts by itself: prom-client looks labels up for each value, and a server notes several
 * values per command. It is to be recorded in by {@link bucketsOf} only.
 */
export function createHistogram(configuration: Configuration): Histogram {
  const { name, buckets } = configuration
  const histogram = new Histogram({ ...configuration, buckets: [...buckets] })
  const children = new Map<string, Child>()
  families.set(histogram, { children, buckets })
  const described = histogram.get()
  const get = async () => ({
    ...(await described),
    values: [...children.values()].flatMap(({ labels, counts }) => counts.values(name, labels)),
  })
  const reset = (): void => {
    for (const { counts } of children.values()) counts.reset()
  }
  // The registry's text goes by the second name, everything else by the first.
  return Object.assign(histogram, { get, getForPromString: get, reset })
}

/** The counts with these labels, made when they are not there. */
export function bucketsOf(histogram: Histogram, labels: MetricLabels): BucketCounts {
  const { children, buckets } = families.get(histogram)!
  const key = keyOf(labels)
  const child = children.get(key) ?? { labels, counts: new BucketCounts(buckets) }
  children.set(key, child)
  return child.counts
}
