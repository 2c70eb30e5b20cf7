import { expect, test } from 'vitest'
import { LevelStore } from '@raftkit/store-level'
import { contentsOf, entries } from './entries.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const ALL = { maxBytes: Infinity }

test('what was appended is there after closing and opening', async () => {
  const directory = await temporaryDirectory()
  const store = await LevelStore.open(directory)
  expect(await store.bounds()).toEqual({ firstIndex: 0, lastIndex: 0 })
  await store.append([entries(1, 3)])
  await store.append([entries(4, 2), entries(6, 4, 2)])
  await store.saveHardState({ term: 2, votedFor: { id: 'b', address: 'b:1' } })
  await store.set('name', Uint8Array.of(1, 2, 3))
  await store.close()

  await using again = await LevelStore.open(directory)
  expect(await again.bounds()).toEqual({ firstIndex: 1, lastIndex: 9 })
  expect(contentsOf(await again.read(1, 9, ALL))).toEqual([
    ...contentsOf(entries(1, 5)),
    ...contentsOf(entries(6, 4, 2)),
  ])
  expect(await again.loadHardState()).toEqual({
    term: 2,
    votedFor: { id: 'b', address: 'b:1' },
  })
  expect(await again.get('name')).toEqual(Buffer.of(1, 2, 3))
})
