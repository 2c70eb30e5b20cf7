import type { MetricDescription, MetricLabels, Metrics } from '@raftkit/interface'
import { networkMetricCatalogue } from '@raftkit/transport-network'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { deferred, forward, heartbeat, obliging, openPair, peerB, settle } from '../fixtures.ts'

let made: Map<string, MetricDescription>
let recorded: string[]
let gauges: Map<string, () => number | undefined>
let metrics: Metrics

const keyOf = ({ name }: MetricDescription, labels: MetricLabels): string =>
  [name.replace(/^raft_net_|_seconds$/g, ''), ...Object.values(labels)].join(' ')

beforeEach(() => {
  made = new Map()
  recorded = []
  gauges = new Map()
  const note = (description: MetricDescription): unknown => made.set(description.name, description)
  metrics = {
    counter: () => ({ add: () => {} }),
    histogram: (description, labels) => {
      note(description)
      return {
        record: (value) => recorded.push(`${keyOf(description, labels)}: ${value}`),
      }
    },
    gauge: (description, labels, read) => {
      note(description)
      const key = keyOf(description, labels)
      gauges.set(key, read)
      return () => void gauges.delete(key)
    },
  }
})
afterEach(() => settle())

it('measures what comes in by type, from its bytes to its answer', async () => {
  const answer = deferred<void>()
  const { a, b, clock } = await openPair({}, { metrics })
  b.setHandler(async (request, context) => {
    await answer.promise
    return obliging(request, context)
  })
  const called = a.call(peerB, heartbeat(7))
  await settle()
  expect(recorded).toEqual([
    'rpc_decode_duration heartbeat: 0',
    'rpc_enqueue_duration heartbeat: 0',
  ])
  clock.advance(250)
  answer.resolve()
  await called
  expect(recorded.at(-1)).toBe('rpc_respond_duration heartbeat: 0.25')
  b.setHandler(obliging)
  await a.call(peerB, forward(1))
  expect(recorded.slice(3)).toEqual([
    'rpc_decode_duration forward: 0',
    'rpc_enqueue_duration forward: 0',
    'rpc_respond_duration forward: 0',
  ])
})

it('counts its connections until it is closed', async () => {
  const { a, b } = await openPair({}, { metrics })
  await a.call(peerB, forward(1))
  expect([...made.values()]).toEqual(networkMetricCatalogue)
  expect(gauges.get('connections inbound')?.()).toBe(1)
  expect(gauges.get('connections outbound')?.()).toBe(0)
  expect(gauges.get('connections idle')?.()).toBe(0)
  await a.close()
  await b.close()
  expect(gauges.size).toBe(0)
})

it('answers as ever when the metrics throw', async () => {
  const fail = (): never => {
    throw new Error('no metrics today')
  }
  metrics = {
    counter: fail,
    histogram: () => ({ record: fail }),
    gauge: fail,
  }
  const { a } = await openPair({ metrics })
  expect([...(await a.call(peerB, forward(1, 2))).payload]).toEqual([1, 2])
})
