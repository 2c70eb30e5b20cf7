// Where measurements go. Adapters for Prometheus and OpenTelemetry are in @raftkit/metrics.
import { messageOf } from '../errors/raft-error.ts'
import type { Logger } from './logger.ts'

/** Values of the labels of one instrument. */
export type MetricLabels = Readonly<Record<string, string>>

/** What a metric counts in. The unit also ends its name: `raft_commit_duration_seconds`. */
export type MetricUnit = 'seconds' | 'bytes' | 'ratio' | 'count'

/** One metric of the catalogue, with everything that monitoring systems want to know of it. */
export interface MetricDescription {
  /** In the manner of Prometheus: snake case, base units, `_total` for counters. */
  readonly name: string
  /** One sentence for people. */
  readonly help: string
  readonly unit: MetricUnit
  /** The names of its labels; every instrument of the metric gives a value to each. */
  readonly labels: readonly string[]
}

/** A metric whose values are spread over buckets. */
export interface HistogramDescription extends MetricDescription {
  /** Upper bounds of the buckets, ascending, in the metric's unit. */
  readonly buckets: readonly number[]
}

/** A number that only grows. */
export interface Counter {
  /** Adds a number of at least 0. */
  add(count: number): void
}

/** The distribution of values. */
export interface Histogram {
  /** Notes one value, in the metric's unit. */
  record(value: number): void
}

/**
 * Where measurements go. Each call makes one instrument: a metric with values for its labels. That happens once, at the
 * start or when a peer first appears; afterwards nothing is looked up by name. Several instruments of one metric, with
 * other label values, are usual; two with the same values add up to one (counters, histograms), or the newer is read (gauges).
 *
 * Instruments are used on the thread of the server, some for every command: they must be quick. What they throw is logged
 * once and changes nothing.
 */
export interface Metrics {
  counter(description: MetricDescription, labels: MetricLabels): Counter
  histogram(description: HistogramDescription, labels: MetricLabels): Histogram
  /**
   * A value that is read when somebody looks, and costs nothing until then. `read` gives undefined when there is none at
   * the moment; it is quick and does not throw. The returned function ends the gauge.
   */
  gauge(
    description: MetricDescription,
    labels: MetricLabels,
    read: () => number | undefined,
  ): () => void
}

/** The same metrics, with these labels on every instrument: which server it is, for example. */
export function withLabels(metrics: Metrics, added: MetricLabels): Metrics {
  const names = Object.keys(added)
  const described = <D extends MetricDescription>(description: D): D => ({
    ...description,
    labels: [...names, ...description.labels],
  })
  const valued = (labels: MetricLabels): MetricLabels => ({ ...added, ...labels })
  return {
    counter: (description, labels) => metrics.counter(described(description), valued(labels)),
    histogram: (description, labels) => metrics.histogram(described(description), valued(labels)),
    gauge: (description, labels, read) =>
      metrics.gauge(described(description), valued(labels), read),
  }
}

const INERT: Counter & Histogram = { add: () => {}, record: () => {} }

/**
 * The same metrics, which never throw: what is measured goes on whatever becomes of the measurement. The first failure
 * is logged; an instrument that cannot be made measures nothing.
 */
export function guardedMetrics(metrics: Metrics, logger: Logger): Metrics {
  let hasFailed = false
  const failed = (error: unknown): void => {
    if (hasFailed) return
    hasFailed = true
    logger.error(
      { error: messageOf(error) },
      'metrics failed; measurements may be missing, and nothing more is said of it',
    )
  }
  // A method that is asynchronous by mistake must not end the process with a rejection that nobody hears.
  const settled = (result: unknown): void => {
    if (result instanceof Promise) result.catch(failed)
  }
  const attempt = <T>(make: () => T, otherwise: T): T => {
    try {
      return make()
    } catch (error) {
      failed(error)
      return otherwise
    }
  }
  return {
    counter(description, labels) {
      const counter = attempt(() => metrics.counter(description, labels), INERT)
      return {
        add(count) {
          try {
            settled(counter.add(count))
          } catch (error) {
            failed(error)
          }
        },
      }
    },
    histogram(description, labels) {
      const histogram = attempt(() => metrics.histogram(description, labels), INERT)
      return {
        record(value) {
          try {
            settled(histogram.record(value))
          } catch (error) {
            failed(error)
          }
        },
      }
    },
    gauge(description, labels, read) {
      const end = attempt(
        () => metrics.gauge(description, labels, read),
        () => {},
      )
      return () => attempt(() => settled(end()), undefined)
    },
  }
}
