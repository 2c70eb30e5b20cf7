// Changes the store in a directory without end and tells its parent of each change that is durable.
import { LevelStore } from '@raftkit/store-level'
import { entries } from './entries.ts'

const store = await LevelStore.open(process.argv[2]!, { maxBlockBytes: 4096 })
let { lastIndex } = await store.bounds()
let term = ((await store.loadHardState())?.term ?? 0) + 1
await store.saveHardState({ term })
process.send!({ term, lastIndex })

for (let round = 1; ; round++) {
  const count = 1 + (round % 40)
  await store.append([entries(lastIndex + 1, count, term, 150)])
  lastIndex += count
  process.send!({ term, lastIndex })
  if (round % 7 === 0) {
    await store.saveHardState({ term: ++term })
    process.send!({ term, lastIndex })
  }
  if (round % 11 === 0) {
    // Told before it happens: from here on these entries may be gone.
    lastIndex -= 5
    process.send!({ term, lastIndex })
    await store.truncateSuffix(lastIndex + 1)
  }
  if (round % 13 === 0) await store.truncatePrefix(lastIndex - 100)
}
