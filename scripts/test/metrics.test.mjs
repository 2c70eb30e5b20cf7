// docs/metrics.md lists every metric as the catalogues have it, and says something of each of hashicorp/raft's.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const doc = new URL('../../docs/metrics.md', import.meta.url)
const text = readFileSync(doc, 'utf8')

/** The cells of the rows of each section, by its title. */
const sections = new Map(
  text.split(/^## /m).map((section) => [section.split('\n', 1)[0], rowsIn(section)]),
)

function rowsIn(section) {
  return section
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .slice(2)
    .map((line) =>
      line
        .slice(1, -1)
        .split('|')
        .map((cell) => cell.trim()),
    )
}

function sourceOf(path) {
  return import(new URL(`../../packages/${path}`, import.meta.url).href)
}

/** A row as the catalogue would write it. */
function rowOf({ name, unit, labels, help, buckets }) {
  const type = buckets ? 'histogram' : name.endsWith('_total') ? 'counter' : 'gauge'
  const own = labels.filter((label) => label !== 'server')
  return [`\`${name}\``, type, unit, own.map((label) => `\`${label}\``).join(', '), help]
}

const { metricCatalogue } = await sourceOf('raft-core/src/metrics/catalogue.ts')
const { networkMetricCatalogue } = await sourceOf(
  'transport-network/src/metrics/network-metrics.ts',
)
const { levelMetricCatalogue } = await sourceOf('store-level/src/metrics/level-metrics.ts')
const all = [...metricCatalogue, ...networkMetricCatalogue, ...levelMetricCatalogue]

/** All of hashicorp/raft's, without its prefix and without the copies that have a peer in their names. */
const upstream = `
  apply barrier restore verify_leader state.follower state.candidate state.leader
  transition.heartbeat_timeout transition.leader_lease_timeout replication.appendEntries.logs
  commitTime compactLogs removeOldLogs restoreUserSnapshot candidate.electSelf candidate.preElectSelf
  fsm.apply fsm.applyBatch fsm.enqueue fsm.restore fsm.snapshot fsm.store_config leader.dispatchLog
  rpc.appendEntries rpc.appendEntries.storeLogs rpc.appendEntries.processLogs rpc.requestVote
  rpc.requestPreVote rpc.installSnapshot rpc.processHeartbeat snapshot.create snapshot.persist
  snapshot.takeSnapshot net.getRPCType net.rpcDecode net.rpcEnqueue net.rpcRespond
  replication.appendEntries.rpc replication.heartbeat replication.installSnapshot leader.lastContact
  fsm.applyBatchNum thread.main.saturation thread.fsm.saturation commitNumLogs
  fsm.lastRestoreDuration leader.dispatchNumLogs leader.oldestLogAge peers
`
  .trim()
  .split(/\s+/)

describe('docs/metrics.md', () => {
  it.each([
    ['Of a server', metricCatalogue],
    ['Of a network transport', networkMetricCatalogue],
    ['Of a LevelDB store', levelMetricCatalogue],
  ])('lists the metrics %s as they are', (title, catalogue) => {
    expect(sections.get(title)).toEqual(catalogue.map(rowOf))
  })

  const rows = new Map(sections.get('From hashicorp/raft')?.map(([name, ...rest]) => [name, rest]))

  it("has a row for each of hashicorp/raft's, and no other", () => {
    expect(new Set(rows.keys())).toEqual(new Set(upstream.map((name) => `\`${name}\``)))
  })

  it.each(upstream)('%s has a counterpart, or a reason why not', (name) => {
    const [ours, remark] = rows.get(`\`${name}\``)
    const names = [...ours.matchAll(/`(raft_[a-z_]+)/g)].map(([, found]) => found)
    expect(names.length > 0 || (ours === 'none' && remark.length > 20)).toBe(true)
    expect(names.filter((found) => !all.some((metric) => metric.name === found))).toEqual([])
    const labels = [...ours.matchAll(/\{(\w+)=/g)].map(([, label]) => label)
    const known = all.filter((metric) => names.includes(metric.name)).flatMap((each) => each.labels)
    expect(labels.filter((label) => !known.includes(label))).toEqual([])
  })
})
