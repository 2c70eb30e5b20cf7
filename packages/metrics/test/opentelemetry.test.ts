import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { HistogramDescription, MetricDescription } from '@raftkit/interface'
import { metricCatalogue } from '@raftkit/raft-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openTelemetryMetrics } from '../src/opentelemetry.ts'
import { BusyCluster } from './support/busy-cluster.ts'

const counted: MetricDescription = { name: 'a_total', help: 'A.', unit: 'count', labels: ['peer'] }
const read: MetricDescription = { name: 'b_bytes', help: 'B.', unit: 'bytes', labels: ['peer'] }
const timed: HistogramDescription = {
  name: 'c_seconds',
  help: 'C.',
  unit: 'seconds',
  labels: ['peer'],
  buckets: [0.1, 1],
}

let exporter: InMemoryMetricExporter
let provider: MeterProvider
beforeEach(() => {
  // With CUMULATIVE the SDK goes on telling the last value of a gauge that has ended.
  exporter = new InMemoryMetricExporter(AggregationTemporality.DELTA)
  const exportIntervalMillis = 3_600_000
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis })
  provider = new MeterProvider({ readers: [reader] })
})
afterEach(() => provider.shutdown())

const create = (labels = {}) =>
  openTelemetryMetrics({ meter: provider.getMeter('raftkit'), labels })

/** What is exported now, by name. */
async function exported(): Promise<Map<string, MetricData>> {
  exporter.reset()
  await provider.forceFlush()
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap((scope) => scope.metrics)
  return new Map(metrics.map((metric) => [metric.descriptor.name, metric]))
}

/** The values of one metric, with their attributes. */
async function valuesOf(name: string): Promise<unknown[]> {
  const points = (await exported()).get(name)?.dataPoints ?? []
  return points.map(({ attributes, value }) => ({ ...attributes, value }))
}

describe('openTelemetryMetrics', () => {
  it('counts, from nothing on', async () => {
    const counter = create().counter(counted, { peer: 'n2' })
    expect(await valuesOf('a_total')).toEqual([{ peer: 'n2', value: 0 }])
    counter.add(2)
    counter.add(3)
    expect(await valuesOf('a_total')).toEqual([{ peer: 'n2', value: 5 }])
  })

  it('fills the buckets of the metric, and says help and unit', async () => {
    const histogram = create().histogram(timed, { peer: 'n2' })
    histogram.record(0.05)
    histogram.record(0.5)
    histogram.record(5)
    const metric = (await exported()).get('c_seconds')
    expect(metric?.descriptor).toMatchObject({ description: 'C.', unit: 's' })
    expect(metric?.dataPoints[0]?.value).toMatchObject({
      count: 3,
      buckets: { boundaries: [0.1, 1], counts: [1, 1, 1] },
    })
  })

  it('reads gauges when it is asked, until they end', async () => {
    const metrics = create({ zone: 'eu' })
    let value: number | undefined = 3
    const end = metrics.gauge(read, { peer: 'n2' }, () => value)
    metrics.gauge(read, { peer: 'n3' }, () => 4)
    const other = { zone: 'eu', peer: 'n3', value: 4 }
    expect(await valuesOf('b_bytes')).toEqual([{ zone: 'eu', peer: 'n2', value: 3 }, other])
    value = undefined
    expect(await valuesOf('b_bytes')).toEqual([other])
    value = 5
    end()
    expect(await valuesOf('b_bytes')).toEqual([other])
  })
})

describe('a cluster in one process', () => {
  let cluster: BusyCluster
  afterEach(() => cluster.stop())

  it('exports every metric of the catalogue', async () => {
    cluster = await BusyCluster.start(() => create())
    await cluster.work()
    const metrics = await exported()
    for (const { name, help } of metricCatalogue) {
      const { descriptor, dataPoints } = metrics.get(name) ?? { dataPoints: [] }
      expect({ name, help: descriptor?.description }).toEqual({ name, help })
      const servers = dataPoints.map(({ attributes }) => attributes['server'])
      const known = servers.filter((id) => id === 'a' || id === 'b' || id === 'c')
      expect({ name, servers: known.length }).toEqual({ name, servers: servers.length })
      expect({ name, isEmpty: servers.length === 0 }).toEqual({ name, isEmpty: false })
    }
  })
})
