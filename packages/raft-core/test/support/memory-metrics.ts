// Metrics that keep what they are told.
import type {
  Counter,
  Histogram,
  HistogramDescription,
  MetricDescription,
  MetricLabels,
  Metrics,
} from '@raftkit/interface'

export class MemoryMetrics implements Metrics {
  /** Everything that was made, by name. */
  readonly descriptions = new Map<string, MetricDescription>()
  readonly #counts = new Map<string, number>()
  readonly #values = new Map<string, number[]>()
  readonly #gauges = new Map<string, () => number | undefined>()

  /** Gauges that have not ended. */
  get openGauges(): number {
    return this.#gauges.size
  }

  counter(description: MetricDescription, labels: MetricLabels): Counter {
    const key = this.#describe(description, labels)
    return { add: (count) => this.#counts.set(key, (this.#counts.get(key) ?? 0) + count) }
  }

  histogram(description: HistogramDescription, labels: MetricLabels): Histogram {
    const key = this.#describe(description, labels)
    const values = this.#values.get(key) ?? []
    this.#values.set(key, values)
    return { record: (value) => values.push(value) }
  }

  gauge(
    description: MetricDescription,
    labels: MetricLabels,
    read: () => number | undefined,
  ): () => void {
    const key = this.#describe(description, labels)
    this.#gauges.set(key, read)
    return () => {
      if (this.#gauges.get(key) === read) this.#gauges.delete(key)
    }
  }

  /** What was counted; 0 when nothing was. */
  count(name: string, labels: MetricLabels): number {
    return this.#counts.get(keyOf(name, labels)) ?? 0
  }

  /** What was recorded, in order. */
  values(name: string, labels: MetricLabels): readonly number[] {
    return this.#values.get(keyOf(name, labels)) ?? []
  }

  /** What a gauge says now; undefined when there is none. */
  read(name: string, labels: MetricLabels): number | undefined {
    return this.#gauges.get(keyOf(name, labels))?.()
  }

  #describe(description: MetricDescription, labels: MetricLabels): string {
    const { name } = description
    const given = Object.keys(labels).toSorted().join()
    if ([...description.labels].toSorted().join() !== given)
      throw new Error(`${name} has the labels ${description.labels.join()}, not ${given}`)
    this.descriptions.set(name, description)
    return keyOf(name, labels)
  }
}

function keyOf(name: string, labels: MetricLabels): string {
  const parts = Object.entries(labels).map(([label, value]) => `${label}=${value}`)
  return `${name} ${parts.toSorted().join(' ')}`
}
