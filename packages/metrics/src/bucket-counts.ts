import type { MetricLabels } from '@raftkit/interface'

/** One value of a histogram as Prometheus knows it. */
export interface BucketValue {
  readonly metricName: string
  readonly labels: Record<string, string | number>
  readonly value: number
}

/** The values of one histogram with one set of labels, counted by bucket: noting one costs a few comparisons. */
export class BucketCounts {
  readonly #bounds: readonly number[]
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = Array.from({ length: bounds.length + 1 }, () => 0)
  }

  record(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sum = 0
  }

  /** Each bucket with everything below it, then sum and count. */
  values(name: string, labels: MetricLabels): BucketValue[] {
    const values: BucketValue[] = []
    let total = 0
    for (const [place, count] of this.#counts.entries()) {
      total += count
      const le = this.#bounds[place] ?? '+Inf'
      values.push({ metricName: `${name}_bucket`, labels: { le, ...labels }, value: total })
    }
    values.push({ metricName: `${name}_sum`, labels: { ...labels }, value: this.#sum })
    values.push({ metricName: `${name}_count`, labels: { ...labels }, value: total })
    return values
  }
}
