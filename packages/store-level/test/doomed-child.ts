// Changes a store until it kills itself; run by the conformance suite.
import { runUntilKilled } from '@raftkit/conformance/node'
import { LevelStore } from '@raftkit/store-level'

const open = (directory: string): Promise<LevelStore> => LevelStore.open(directory)

await runUntilKilled({ log: open, stable: open })
