import {
  type LogStore,
  silentLogger,
  type SnapshotStore,
  type StableStore,
  type StateMachine,
  type Transport,
} from '@raftkit/interface'
import { expect, it } from 'vitest'
import { Meter } from '../../src/metrics/meter.ts'
import { MemoryMetrics } from '../support/memory-metrics.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

/** Every member of a port, optional ones too. A port that gains one does not compile here until it is listed. */
type Members<Port> = Readonly<Record<keyof Port, true>>

const logStore: Members<LogStore> = {
  bounds: true,
  read: true,
  append: true,
  truncateSuffix: true,
  truncatePrefix: true,
  commitIndex: true,
  close: true,
}
const stableStore: Members<StableStore> = {
  loadHardState: true,
  saveHardState: true,
  get: true,
  set: true,
  close: true,
}
const snapshotStore: Members<SnapshotStore> = { create: true, list: true, open: true }
const stateMachine: Members<StateMachine> = {
  apply: true,
  applyBatch: true,
  storeConfiguration: true,
  snapshot: true,
  restore: true,
}
const transport: Members<Transport> = {
  localAddress: true,
  setHandler: true,
  call: true,
  installSnapshot: true,
  openPipeline: true,
  close: true,
}

/** A part that has all of these members, each of which says its own name. */
function fullPart<Port>(members: Members<Port>): Port {
  const names = Object.keys(members)
  return Object.fromEntries(names.map((name) => [name, async () => name])) as Port
}

it('has every member of the parts that it measures', () => {
  const given = {
    logStore: fullPart<LogStore>(logStore),
    stableStore: fullPart<StableStore>(stableStore),
    snapshotStore: fullPart<SnapshotStore>(snapshotStore),
    stateMachine: fullPart<StateMachine>(stateMachine),
  }
  const meter = new Meter(
    new MemoryMetrics(),
    'a',
    given.logStore,
    new VirtualClock(),
    silentLogger,
  )
  const measured = meter.storage(given)
  expect(Object.keys(measured.logStore).toSorted()).toEqual(Object.keys(logStore).toSorted())
  expect(Object.keys(measured.stableStore).toSorted()).toEqual(Object.keys(stableStore).toSorted())
  expect(Object.keys(measured.snapshotStore).toSorted()).toEqual(
    Object.keys(snapshotStore).toSorted(),
  )
  expect(Object.keys(measured.stateMachine).toSorted()).toEqual(
    Object.keys(stateMachine).toSorted(),
  )
  const carrying = meter.transport(fullPart<Transport>(transport))
  for (const member of Object.keys(transport)) expect(member in carrying).toBe(true)
})

it('has no optional member that its part does not have', () => {
  const { commitIndex: _, ...plainLog } = logStore
  const { applyBatch: __, storeConfiguration: ___, ...plainMachine } = stateMachine
  const given = {
    logStore: fullPart<LogStore>(plainLog as Members<LogStore>),
    stableStore: fullPart<StableStore>(stableStore),
    snapshotStore: fullPart<SnapshotStore>(snapshotStore),
    stateMachine: fullPart<StateMachine>(plainMachine as Members<StateMachine>),
  }
  const meter = new Meter(
    new MemoryMetrics(),
    'a',
    given.logStore,
    new VirtualClock(),
    silentLogger,
  )
  const measured = meter.storage(given)
  expect('commitIndex' in measured.logStore).toBe(false)
  expect('applyBatch' in measured.stateMachine).toBe(false)
  expect('storeConfiguration' in measured.stateMachine).toBe(false)
})
