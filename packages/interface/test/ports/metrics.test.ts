import { describe, expect, it } from 'vitest'
import {
  type Counter,
  guardedMetrics,
  type Histogram,
  type HistogramDescription,
  type MetricDescription,
  type MetricLabels,
  type Metrics,
  silentLogger,
  withLabels,
} from '@raftkit/interface'

const counted: MetricDescription = { name: 'a_total', help: 'A.', unit: 'count', labels: ['peer'] }
const timed: HistogramDescription = { ...counted, name: 'b_seconds', buckets: [1] }

/** Metrics that say what they are asked for. */
function noting(noted: string[]): Metrics {
  const note = (description: MetricDescription, labels: MetricLabels): string =>
    `${description.name}[${description.labels.join()}]${JSON.stringify(labels)}`
  return {
    counter: (description, labels) => ({
      add: (count) => noted.push(`${note(description, labels)} +${count}`),
    }),
    histogram: (description, labels) => ({
      record: (value) => noted.push(`${note(description, labels)} ${value}`),
    }),
    gauge: (description, labels, read) => {
      noted.push(`${note(description, labels)} ${read()}`)
      return () => noted.push('ended')
    },
  }
}

function throwing(): never {
  throw new Error('no metrics today')
}

const broken: Metrics = { counter: throwing, histogram: throwing, gauge: throwing }
const breaking: Metrics = {
  counter: () => ({ add: throwing }),
  histogram: () => ({ record: throwing }),
  gauge: () => throwing,
}
const rejects = (): unknown => Promise.reject(new Error('no metrics today'))
const rejecting: Metrics = {
  counter: (): Counter => ({ add: rejects }),
  histogram: (): Histogram => ({ record: rejects }),
  gauge: () => rejects,
}

describe('withLabels', () => {
  it('puts its labels before those of each metric', () => {
    const noted: string[] = []
    const metrics = withLabels(noting(noted), { server: 'n1' })
    metrics.counter(counted, { peer: 'n2' }).add(2)
    metrics.histogram(timed, { peer: 'n2' }).record(3)
    metrics.gauge(counted, { peer: 'n2' }, () => 4)()
    const labels = '[server,peer]{"server":"n1","peer":"n2"}'
    expect(noted).toEqual([
      `a_total${labels} +2`,
      `b_seconds${labels} 3`,
      `a_total${labels} 4`,
      'ended',
    ])
  })
})

describe('guardedMetrics', () => {
  it('passes on what works', () => {
    const noted: string[] = []
    const metrics = guardedMetrics(noting(noted), silentLogger)
    metrics.counter(counted, {}).add(1)
    metrics.histogram(timed, {}).record(2)
    metrics.gauge(counted, {}, () => 3)()
    expect(noted).toEqual([
      'a_total[peer]{} +1',
      'b_seconds[peer]{} 2',
      'a_total[peer]{} 3',
      'ended',
    ])
  })

  it.each([
    ['that make no instruments', broken],
    ['whose instruments throw', breaking],
    ['whose instruments reject', rejecting],
  ])('keeps metrics %s from everybody, and says so once', async (_, inner) => {
    const lines: object[] = []
    const logger = { ...silentLogger, error: (fields: object) => lines.push(fields) }
    const metrics = guardedMetrics(inner, logger)
    for (let times = 0; times < 3; times++) {
      metrics.counter(counted, {}).add(1)
      metrics.histogram(timed, {}).record(1)
      metrics.gauge(counted, {}, () => 1)()
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(lines).toEqual([{ error: 'no metrics today' }])
  })
})
