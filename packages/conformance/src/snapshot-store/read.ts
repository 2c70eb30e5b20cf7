import assert from 'node:assert/strict'
import { assertSameBytes, collect, sampleBytes } from '../sample-bytes.ts'
import {
  assertDescribes,
  assertLists,
  assertOpens,
  describeJoint,
  describeSnapshot,
  save,
} from './case.ts'
import type { SnapshotStoreCase } from './case.ts'

/** Cases about reading. */
export function readerCases(test: SnapshotStoreCase): void {
  test('gives every reader bytes of its own', async (store) => {
    const bytes = sampleBytes(100_000)
    const meta = await save(store, describeSnapshot(5, 1), bytes)
    const opened = await store.open(meta.id)
    for await (const chunk of opened.state) chunk.fill(0)
    await opened.close()
    await assertOpens(store, meta, bytes)
  })

  test('keeps both halves of a joint configuration', async (store) => {
    const description = describeJoint(9, 2)
    const meta = await save(store, description, sampleBytes(3))
    assertDescribes(meta, description, 3)
    await assertOpens(store, meta, sampleBytes(3))
    await assertLists(store, meta)
  })

  test('lets two read the same snapshot, each at its own pace', async (store) => {
    const bytes = sampleBytes(300_000)
    const meta = await save(store, describeSnapshot(5, 1), bytes)
    const [one, two] = [await store.open(meta.id), await store.open(meta.id)]
    const iterator = one.state[Symbol.asyncIterator]()
    await iterator.next()
    assertSameBytes(await collect(two.state), bytes, 'the second reader')
    await two.close()
    await iterator.return?.()
    await one.close()
  })

  test('closes an opened snapshot unread, half read, and twice', async (store) => {
    const meta = await save(store, describeSnapshot(5, 1), sampleBytes(300_000))
    const unread = await store.open(meta.id)
    await unread.close()
    await unread.close()
    const half = await store.open(meta.id)
    for await (const chunk of half.state) {
      assert.ok(chunk.length > 0)
      break
    }
    await half.close()
    await assertOpens(store, meta, sampleBytes(300_000))
  })

  test('keeps an opened snapshot readable while newer ones push it out', async (store) => {
    const bytes = sampleBytes(500_000)
    const meta = await save(store, describeSnapshot(5, 1), bytes)
    const opened = await store.open(meta.id)
    for (let i = 0; i < 6; i++) await save(store, describeSnapshot(10 + i, 1), sampleBytes(10, i))
    assertSameBytes(await collect(opened.state), bytes, 'the snapshot that was open')
    await opened.close()
  })
}
