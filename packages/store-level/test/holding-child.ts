// Opens the store in a directory, appends three entries, says so and stays.
import { LevelStore } from '@raftkit/store-level'
import { entries } from './entries.ts'

const store = await LevelStore.open(process.argv[2]!)
await store.append([entries(1, 3)])
process.send!('open')
process.on('disconnect', () => process.exit())
