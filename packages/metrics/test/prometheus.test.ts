import type { HistogramDescription, MetricDescription } from '@raftkit/interface'
import { RaftError } from '@raftkit/interface'
import { metricCatalogue } from '@raftkit/raft-core'
import { Counter, Histogram, Registry, register } from 'prom-client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { prometheusMetrics } from '../src/prometheus.ts'
import { BusyCluster } from './support/busy-cluster.ts'

const counted: MetricDescription = { name: 'a_total', help: 'A.', unit: 'count', labels: ['peer'] }
const read: MetricDescription = { name: 'b_ratio', help: 'B.', unit: 'ratio', labels: ['peer'] }
const timed: HistogramDescription = {
  name: 'c_seconds',
  help: 'C.',
  unit: 'seconds',
  labels: ['peer'],
  buckets: [0.1, 1],
}

let registry: Registry
beforeEach(() => {
  registry = new Registry()
})

/** The lines of one metric. */
async function lines(name: string): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => line.startsWith(name))
}

function codeOf(call: () => unknown): string | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    return RaftError.is(error) ? error.code : String(error)
  }
}

describe('prometheusMetrics', () => {
  it('counts, from nothing on', async () => {
    const metrics = prometheusMetrics({ registry })
    const counter = metrics.counter(counted, { peer: 'n2' })
    expect(await lines('a_total')).toEqual(['a_total{peer="n2"} 0'])
    counter.add(2)
    counter.add(3)
    metrics.counter(counted, { peer: 'n2' }).add(1)
    expect(await lines('a_total')).toEqual(['a_total{peer="n2"} 6'])
  })

  it('fills the buckets of the metric', async () => {
    const histogram = prometheusMetrics({ registry }).histogram(timed, { peer: 'n2' })
    histogram.record(0.05)
    histogram.record(0.5)
    expect(await lines('c_seconds')).toEqual([
      'c_seconds_bucket{le="0.1",peer="n2"} 1',
      'c_seconds_bucket{le="1",peer="n2"} 2',
      'c_seconds_bucket{le="+Inf",peer="n2"} 2',
      'c_seconds_sum{peer="n2"} 0.55',
      'c_seconds_count{peer="n2"} 2',
    ])
  })

  it('counts values at a bound, and beyond all, as prom-client does', async () => {
    const theirs = new Registry()
    const { name, help, labels, buckets } = timed
    const configuration = { name, help, labelNames: [...labels], buckets: [...buckets] }
    const expected = new Histogram({ ...configuration, registers: [theirs] })
    const histogram = prometheusMetrics({ registry }).histogram(timed, { peer: 'n2' })
    for (const value of [0, 0.1, 0.10001, 1, 1.5, 1000]) {
      expected.labels({ peer: 'n2' }).observe(value)
      histogram.record(value)
    }
    expect(await registry.metrics()).toBe(await theirs.metrics())
    const [json] = await registry.getMetricsAsJSON()
    expect(json).toMatchObject({ type: 'histogram', aggregator: 'sum' })
    registry.resetMetrics()
    expect(await lines('c_seconds_count')).toEqual(['c_seconds_count{peer="n2"} 0'])
  })

  it('reads gauges when it is asked, until they end; one that throws hides no other', async () => {
    const metrics = prometheusMetrics({ registry })
    let value: number | undefined = 0.5
    const end = metrics.gauge(read, { peer: 'n2' }, () => value)
    metrics.gauge(read, { peer: 'n3' }, () => {
      throw new Error('mine')
    })
    metrics.gauge(read, { peer: 'n4' }, () => 1)
    expect(await lines('b_ratio')).toEqual(['b_ratio{peer="n2"} 0.5', 'b_ratio{peer="n4"} 1'])
    value = undefined
    expect(await lines('b_ratio')).toEqual(['b_ratio{peer="n4"} 1'])
    value = 0.25
    expect(await lines('b_ratio')).toContain('b_ratio{peer="n2"} 0.25')
    end()
    expect(await lines('b_ratio')).toEqual(['b_ratio{peer="n4"} 1'])
  })

  it('reads the newer of two gauges with the same labels, and the older one ends nothing', async () => {
    const metrics = prometheusMetrics({ registry })
    const end = metrics.gauge(read, { peer: 'n2' }, () => 1)
    metrics.gauge(read, { peer: 'n2' }, () => 2)
    end()
    expect(await lines('b_ratio')).toEqual(['b_ratio{peer="n2"} 2'])
  })

  it('puts a prefix before names, and labels on everything', async () => {
    const metrics = prometheusMetrics({ registry, prefix: 'shop_', labels: { zone: 'eu' } })
    metrics.counter(counted, { peer: 'n2' }).add(1)
    expect(await lines('shop_')).toEqual(['shop_a_total{zone="eu",peer="n2"} 1'])
  })

  it('shares a registry with others of its kind, and makes anew what was cleared', async () => {
    prometheusMetrics({ registry }).counter(counted, { peer: 'n2' }).add(1)
    prometheusMetrics({ registry }).counter(counted, { peer: 'n3' }).add(1)
    expect(await lines('a_total')).toHaveLength(2)
    registry.clear()
    prometheusMetrics({ registry }).counter(counted, { peer: 'n4' }).add(1)
    expect(await lines('a_total')).toEqual(['a_total{peer="n4"} 1'])
  })

  it('says what is wrong with a name that is not its own, or has other labels', () => {
    const metrics = prometheusMetrics({ registry })
    metrics.counter(counted, { peer: 'n2' })
    const other = prometheusMetrics({ registry, labels: { zone: 'eu' } })
    expect(codeOf(() => other.counter(counted, { peer: 'n2' }))).toBe('RAFT_INVALID_CONFIG')
    expect(codeOf(() => metrics.gauge(counted, { peer: 'n2' }, () => 1))).toBe(
      'RAFT_INVALID_CONFIG',
    )
    const foreign = new Counter({ name: 'c_seconds', help: 'Theirs.', registers: [registry] })
    foreign.inc()
    expect(codeOf(() => metrics.histogram(timed, { peer: 'n2' }))).toBe('RAFT_INVALID_CONFIG')
  })

  it("uses prom-client's registry unless it is given one", () => {
    prometheusMetrics({ prefix: 'default_' }).counter(counted, { peer: 'n2' })
    expect(register.getSingleMetric('default_a_total')).toBeDefined()
    register.removeSingleMetric('default_a_total')
  })
})

describe('a cluster in one process', () => {
  let cluster: BusyCluster
  afterEach(() => cluster.stop())

  it('exposes every metric of the catalogue for every server that has it', async () => {
    cluster = await BusyCluster.start(() => prometheusMetrics({ registry }))
    await cluster.work()
    const text = await registry.metrics()
    for (const { name, help } of metricCatalogue) {
      expect(text).toContain(`# HELP ${name} ${help}\n`)
      expect(text).toMatch(new RegExp(`^${name}(_bucket|_count)?\\{.*server="[abc]".*\\} `, 'm'))
    }
    for (const { id, commitIndex, state } of cluster.servers) {
      expect(text).toContain(`raft_commit_index{server="${id}"} ${commitIndex}\n`)
      expect(text).toContain(`raft_is_leader{server="${id}"} ${state === 'leader' ? 1 : 0}\n`)
    }
    expect(text).not.toMatch(/ NaN$/m)
  })

  it('takes its gauges away when it stops', async () => {
    cluster = await BusyCluster.start(() => prometheusMetrics({ registry }))
    await cluster.work()
    await cluster.stop()
    expect(await lines('raft_term')).toEqual([])
    expect(await lines('raft_applies_total')).toHaveLength(3)
  })
})
