import { testSnapshotStore } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { DiscardSnapshotStore } from '../src/index.ts'

testSnapshotStore({
  runner: { describe, it },
  name: 'DiscardSnapshotStore',
  supports: { retain: 0, reopen: false, durable: false, checksums: false, tornWrites: false },
  open: async () => new DiscardSnapshotStore(),
})
