import { LevelStore } from '@raftkit/store-level'
import { entries } from './entries.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** Closed stores to be damaged, and the entry size in them. */
export const ENTRY_SIZE = 60

/** A closed store with blocks 1..2, 3..4, .., 13..14, term, vote, commit index and a value, all still in LevelDB's write-ahead log. */
export async function usedStore(): Promise<string> {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  await store.saveHardState({ term: 1, votedFor: { id: 'a', address: 'a:1' } })
  await store.set('name', Buffer.of(7))
  for (let first = 1; first < 15; first += 2)
    await store.append([entries(first, 2, 1, ENTRY_SIZE)], { commitIndex: first - 1 })
  await store.close()
  return directory
}

export async function unusedStore(): Promise<string> {
  const directory = await temporaryDirectory()
  await (await LevelStore.open(directory)).close()
  return directory
}

export async function storeOfOneValue(): Promise<string> {
  const directory = await temporaryDirectory()
  await using store = await LevelStore.open(directory)
  await store.set('name', Buffer.of(7))
  return directory
}

/** As usedStore makes it, but all of it in a table. */
export async function usedStoreInTable(): Promise<string> {
  const directory = await usedStore()
  await (await LevelStore.open(directory)).close()
  return directory
}
