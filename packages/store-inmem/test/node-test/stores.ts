// Registers the conformance suites under node:test. Run by ../node-test.test.ts in a process of its own.

import { testLogStore, testSnapshotStore, testStableStore } from '@raftkit/conformance'
import { describe, it } from 'node:test'
import { InmemSnapshotStore, InmemStore } from '../../src/index.ts'

const runner = { describe, it }
const name = 'InmemStore'
const supports = { reopen: true, durable: false, checksums: false, tornWrites: false }

const store = {
  runner,
  name,
  supports,
  open: async () => new InmemStore(),
  reopen: async (before: InmemStore) => before.reopen(),
}
testLogStore({ ...store, supports: { ...supports, commitIndex: true } })
testStableStore(store)

testSnapshotStore({
  runner,
  name: 'InmemSnapshotStore',
  supports: { ...supports, retain: 2 },
  open: async () => new InmemSnapshotStore(),
  reopen: async (before) => before.reopen(),
})
