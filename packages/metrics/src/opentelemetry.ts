// Metrics in a meter of OpenTelemetry.
import type {
  Counter as OtelCounter,
  Histogram as OtelHistogram,
  Meter,
  ObservableGauge,
} from '@opentelemetry/api'
import {
  type MetricDescription,
  type MetricLabels,
  type Metrics,
  type MetricUnit,
  withLabels,
} from '@raftkit/interface'
import { GaugeReaders } from './gauge-readers.ts'

/** Where the metrics go. */
export interface OpenTelemetryOptions {
  /** For example `metrics.getMeter('raftkit')` of @opentelemetry/api. */
  readonly meter: Meter
  /** Attributes on every metric. Default: none. */
  readonly labels?: MetricLabels
}

/** Units as UCUM writes them. */
const UNITS: Readonly<Record<MetricUnit, string>> = {
  seconds: 's',
  bytes: 'By',
  ratio: '1',
  count: '1',
}

interface GaugeFamily {
  readonly gauge: ObservableGauge
  readonly readers: GaugeReaders
}

/**
 * Metrics for `RaftOptions.metrics`. Several servers of one process may share a meter: they are told apart by the
 * attribute `server`. Names are the same as in Prometheus, so that one page of documentation serves both.
 */
export function openTelemetryMetrics({ meter, labels = {} }: OpenTelemetryOptions): Metrics {
  const counters = new Map<string, OtelCounter>()
  const histograms = new Map<string, OtelHistogram>()
  const gauges = new Map<string, GaugeFamily>()
  return withLabels(
    {
      counter(description, values) {
        const counter = once(counters, description.name, (name) =>
          meter.createCounter(name, optionsOf(description)),
        )
        // Nothing yet is a value too, and rates need it.
        counter.add(0, values)
        return { add: (count) => counter.add(count, values) }
      },
      histogram(description, values) {
        const advice = { explicitBucketBoundaries: [...description.buckets] }
        const histogram = once(histograms, description.name, (name) =>
          meter.createHistogram(name, { ...optionsOf(description), advice }),
        )
        return { record: (value) => histogram.record(value, values) }
      },
      gauge(description, values, read) {
        const { readers } = once(gauges, description.name, (name) =>
          observed(meter.createObservableGauge(name, optionsOf(description))),
        )
        return readers.add(values, read)
      },
    },
    labels,
  )
}

function observed(gauge: ObservableGauge): GaugeFamily {
  const readers = new GaugeReaders()
  gauge.addCallback((result) => readers.each((value, labels) => result.observe(value, labels)))
  return { gauge, readers }
}

function optionsOf({ help, unit }: MetricDescription): { description: string; unit: string } {
  return { description: help, unit: UNITS[unit] }
}

/** The value under that name, made when it is not there. */
function once<T>(made: Map<string, T>, name: string, make: (name: string) => T): T {
  const known = made.get(name)
  if (known !== undefined) return known
  const fresh = make(name)
  made.set(name, fresh)
  return fresh
}
