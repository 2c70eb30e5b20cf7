import {
  type MetricDescription,
  type MetricLabels,
  type Metrics,
  silentLogger,
} from '@raftkit/interface'
import { metricCatalogue } from '@raftkit/raft-core'
import { levelMetricCatalogue } from '@raftkit/store-level'
import { afterEach, expect, it } from 'vitest'
import { DiskCluster } from './disk-cluster.ts'

let cluster: DiskCluster
afterEach(() => cluster.remove())

it('measure the server, its transport and its store, under the id of the node', async () => {
  const made = new Map<string, Set<string | undefined>>()
  const recorded = new Set<string>()
  const gauges = new Map<() => number | undefined, string>()
  const note = ({ name }: MetricDescription, labels: MetricLabels): void => {
    made.set(name, (made.get(name) ?? new Set()).add(labels['server']))
  }
  const metrics: Metrics = {
    counter: (description, labels) => {
      note(description, labels)
      return { add: () => recorded.add(description.name) }
    },
    histogram: (description, labels) => {
      note(description, labels)
      return { record: () => recorded.add(description.name) }
    },
    gauge: (description, labels, read) => {
      note(description, labels)
      gauges.set(read, description.name)
      return () => void gauges.delete(read)
    },
  }
  cluster = await DiskCluster.create(1, { metrics })
  await cluster.start()
  const id = cluster.leader.id
  await cluster.leader.apply('x')
  const all = [...metricCatalogue, ...levelMetricCatalogue]
  // A cluster of one has no peers to measure.
  const ofPeers = all.filter(({ labels }) => labels.includes('peer')).map(({ name }) => name)
  const missing = all.map(({ name }) => name).filter((name) => !made.has(name))
  expect(missing).toEqual(ofPeers)
  const ofTransport = [...made.keys()].filter((name) => name.startsWith('raft_net_'))
  expect(ofTransport).toHaveLength(4)
  for (const [name, servers] of made)
    expect({ name, servers: [...servers] }).toEqual({ name, servers: [id] })
  for (const name of [
    'raft_applies_total',
    'raft_commit_duration_seconds',
    'raft_level_write_duration_seconds',
    'raft_level_written_bytes_total',
    'raft_level_boundary_sync_duration_seconds',
  ])
    expect([...recorded]).toContain(name)
  const entries = [...gauges].find(([, name]) => name === 'raft_level_log_entries')
  expect(entries?.[0]()).toBe(cluster.leader.raft.lastIndex)
  await cluster.stop()
  expect(gauges.size).toBe(0)
})

it('may fail in every way: the node works, and logs it once', async () => {
  const fail = (): never => {
    throw new Error('no metrics today')
  }
  const errors: object[] = []
  const logger = { ...silentLogger, error: (fields: object) => errors.push(fields) }
  const metrics: Metrics = { counter: fail, histogram: () => ({ record: fail }), gauge: fail }
  cluster = await DiskCluster.create(1, { metrics, logger })
  await cluster.start()
  await cluster.leader.apply('x')
  expect(errors).toMatchObject([{ error: 'no metrics today' }])
})
