// What the default profile draws: a fault that no seed turns on is dead code.
import { describe, expect, it } from 'vitest'
import { ACTS } from '../../src/nemesis/acts.ts'
import { profileOf } from '../../src/world/profiles.ts'
import { drawWorld } from '../../src/world/swarm.ts'
import type { WorldOptions } from '../../src/world/world-options.ts'

const SEEDS = 1000

const worlds = Array.from({ length: SEEDS }, (_, place) =>
  drawWorld(place + 1, profileOf('default')),
)

/** Faults that are on or off for a whole run, and when they are on. */
const FAULTS: Readonly<Record<string, (options: WorldOptions) => boolean>> = {
  loss: ({ network }) => (network.loss ?? 0) > 0,
  duplication: ({ network }) => (network.duplication ?? 0) > 0,
  reordering: ({ network }) => (network.reordering ?? 0) > 0,
  'old requests that come again': ({ vault }) => vault > 0,
  'pipelines of datagrams': ({ pipelines }) => pipelines === 'datagram',
  'pipelines of connections': ({ pipelines }) => pipelines === 'stream',
  'resets in the middle of a snapshot': ({ snapshotResets }) => snapshotResets > 0,
  'slow writes': ({ disks }) => disks.some(({ slow }) => slow > 0),
  'syncs that fail': ({ disks }) => disks.some(({ failing }) => failing > 0),
  'writes lost in a crash': ({ disks }) => disks.some(({ kept }) => kept < 0.5),
  'writes kept in a crash': ({ disks }) => disks.some(({ kept }) => kept > 0.5),
  'entries that rot before they are read': ({ rotAtRead }) => rotAtRead > 0,
  'torn writes': ({ disks }) => disks.some(({ torn }) => torn > 0),
  'more disks lost than a minority': ({ losable }) => losable === 'all',
  'crashes after a vote': ({ crashPoints }) => crashPoints.voteGranted > 0,
  'crashes after a request for votes': ({ crashPoints }) => crashPoints.voteRequested > 0,
  'crashes after an acknowledgement': ({ crashPoints }) => crashPoints.appendAcknowledged > 0,
  'crashes after a write': ({ crashPoints }) => crashPoints.writeDurable > 0,
  'crashes at a call of a store': ({ crashPoints }) => crashPoints.storeCall > 0,
  'short downtimes': ({ meanDownMs }) => meanDownMs < 15,
  'stalls inside a turn': ({ stalls }) => stalls > 0,
  'slow state machines': ({ slowApply }) => slowApply > 0,
  'clocks of different speed': ({ clockRates }) => clockRates.some((rate) => rate !== 1),
  'timeouts that differ': ({ configs }) =>
    new Set(configs.map(({ heartbeatTimeoutMs }) => heartbeatTimeoutMs)).size > 1,
  'no pre-votes': ({ configs }) => configs.some(({ preVote }) => !preVote),
  'pre-votes on some servers only': ({ configs }) =>
    new Set(configs.map(({ preVote }) => preVote)).size > 1,
  'snapshots every few entries': ({ configs }) =>
    configs.some(({ snapshotThreshold }) => snapshotThreshold <= 10),
  'a log without a tail': ({ configs }) => configs.some(({ trailingLogs }) => trailingLogs === 0),
  'calls to servers that do not lead': ({ workload }) => workload.wrongServer > 0,
  'calls sent many at once': ({ workload }) => workload.bursts > 0,
  'calls to new leaders': ({ workload }) => workload.eager > 0,
  'reads that may be old by so much': ({ workload }) => workload.boundedReads > 0,
  'reads that may be as old as they like': ({ workload }) => workload.staleReads > 0,
  'reads of any server whatever': ({ workload }) => workload.readsAnywhere > 0,
  'commands through followers': ({ workload }) => workload.forwarded > 0,
  'members that are bootstrapped while they run': ({ bootstrap }) => bootstrap === 'running',
  'one member that is bootstrapped while it runs': ({ bootstrap }) => bootstrap === 'one running',
  'leaders that are preferred': ({ configs }) =>
    configs.some(({ leaderPriorities }) => Object.keys(leaderPriorities).length > 0),
  'opinions of who shall lead': ({ configs }) =>
    new Set(configs.map(({ leaderPriorities }) => JSON.stringify(leaderPriorities))).size > 1,
  'servers that may be added': ({ spares }) => spares > 0,
  'no servers that may be added': ({ spares }) => spares === 0,
  'disks that are wiped and come back': ({ wiped }) => wiped === 'come back empty',
  'disks that are wiped and stay out': ({ wiped }) => wiped === 'stay out',
  'an ending with links that stay cut': ({ ending }) => ending === 'core',
  'an ending that heals': ({ ending }) => ending === 'heal',
  'a disaster after the end': ({ disaster }) => disaster,
}

describe('the default profile', () => {
  it.each(Object.keys(ACTS) as (keyof typeof ACTS)[])('lets happen: %s', (name) => {
    const on = worlds.filter(({ intervals, durationMs }) => intervals[name] < durationMs)
    expect(on.length).toBeGreaterThan(SEEDS / 20)
    expect(on.length).toBeLessThan(SEEDS * 0.9)
  })

  it.each(Object.entries(FAULTS))('draws: %s', (_, isOn) => {
    expect(worlds.filter(isOn).length).toBeGreaterThan(SEEDS / 50)
  })

  it.each([1, 2, 3, 4, 5, 7])('draws clusters of %i', (size) => {
    expect(worlds.filter(({ servers }) => servers === size).length).toBeGreaterThan(SEEDS / 50)
  })

  it('never has an operator start a server that others may take for the one it was', () => {
    for (const { wiped } of worlds) expect(wiped).not.toBe('come back unknown')
  })
})
