// Makes snapshots until it kills itself; run by the conformance suite.
import { runUntilKilled } from '@raftkit/conformance/node'
import { FileSnapshotStore } from '../src/index.ts'

await runUntilKilled({ snapshot: (directory) => FileSnapshotStore.open(directory) })
