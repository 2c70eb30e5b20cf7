import assert from 'node:assert/strict'
import { watched } from '../occasion.ts'
import { rejectsWith } from '../rejection.ts'
import { sampleBytes } from '../sample-bytes.ts'
import {
  assertDescribes,
  assertLists,
  assertOpens,
  describeSnapshot,
  save,
  writeAll,
} from './case.ts'
import type { SnapshotStoreCase } from './case.ts'

/** Cases about sinks that hold for every snapshot store, also one that keeps nothing. */
export function sinkCases(test: SnapshotStoreCase): void {
  test('holds nothing at first', async (store) => {
    await assertLists(store)
    for (const id of ['', 'none', '../..', '1-1-1'])
      await rejectsWith(store.open(id), 'RAFT_SNAPSHOT_NOT_FOUND')
  })

  test('describes a finished snapshot as it was described', async (store) => {
    const description = describeSnapshot(20, 3)
    const sink = await store.create(description)
    await writeAll(sink, [sampleBytes(10), sampleBytes(0), sampleBytes(5)])
    const meta = await sink.close()
    assert.equal(meta.id, sink.id)
    assertDescribes(meta, description, 15)
  })

  test('lists nothing before close', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await assertLists(store)
    await sink.write(sampleBytes(100_000))
    await assertLists(store)
    await rejectsWith(store.open(sink.id), 'RAFT_SNAPSHOT_NOT_FOUND')
    await sink.cancel()
  })

  test('leaves nothing of a cancelled snapshot', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.write(sampleBytes(1000))
    await sink.cancel()
    await sink.cancel()
    await assertLists(store)
    await rejectsWith(store.open(sink.id), 'RAFT_SNAPSHOT_NOT_FOUND')
  })

  test('refuses to write to or close a cancelled snapshot', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.cancel()
    await rejectsWith(sink.write(sampleBytes(1)))
    await rejectsWith(sink.close())
    await assertLists(store)
  })

  test('refuses to write to a finished snapshot', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.write(sampleBytes(10))
    const meta = await sink.close()
    await rejectsWith(sink.write(sampleBytes(1)))
    assert.equal(meta.size, 10)
  })

  sinkEndCases(test)
}

function sinkEndCases(test: SnapshotStoreCase): void {
  test('finishes once when it is closed twice', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.write(sampleBytes(10))
    const [first, second] = await Promise.allSettled([sink.close(), sink.close()])
    assert.equal(first.status, 'fulfilled')
    if (second.status === 'fulfilled') assert.equal(second.value.id, sink.id)
    else await rejectsWith(Promise.reject(second.reason))
    assert.ok((await store.list()).length <= 1)
  })

  test('leaves nothing when it is cancelled in the middle of a write', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    const writing = watched(sink.write(sampleBytes(2 * 1024 * 1024)))
    await sink.cancel()
    await writing.catch((error: unknown) => rejectsWith(Promise.reject(error)))
    await rejectsWith(sink.close())
    await assertLists(store)
    await rejectsWith(store.open(sink.id), 'RAFT_SNAPSHOT_NOT_FOUND')
  })

  test('gives every sink a name of its own', async (store) => {
    const sinks = [
      await store.create(describeSnapshot(20, 3)),
      await store.create(describeSnapshot(20, 3)),
      await store.create(describeSnapshot(21, 3)),
    ]
    assert.equal(new Set(sinks.map((sink) => sink.id)).size, 3)
    for (const sink of sinks) await sink.cancel()
  })
}

/** Cases about what is kept. */
export function contentCases(test: SnapshotStoreCase): void {
  test('gives back exactly the bytes written', async (store) => {
    const description = describeSnapshot(20, 3)
    const chunks = [0, 1, 70_000, 3, 65_536, 0, 1024].map((size, i) => sampleBytes(size, i + 1))
    const meta = await save(store, description, ...chunks)
    assertDescribes(meta, description, 136_564)
    await assertLists(store, meta)
    await assertOpens(store, meta, joined(chunks))
    await assertOpens(store, meta, joined(chunks))
  })

  test('keeps a snapshot without bytes', async (store) => {
    const meta = await save(store, describeSnapshot(1, 1))
    assert.equal(meta.size, 0)
    await assertLists(store, meta)
    await assertOpens(store, meta, new Uint8Array(0))
  })

  test('keeps several MiB', async (store) => {
    const bytes = sampleBytes(5 * 1024 * 1024 + 7)
    const meta = await save(
      store,
      describeSnapshot(1, 1),
      bytes.subarray(0, 11),
      bytes.subarray(11),
    )
    await assertOpens(store, meta, bytes)
  })

  test('keeps indexes and terms above 2^32', async (store) => {
    const description = describeSnapshot(2 ** 40 + 5, 2 ** 33)
    const meta = await save(store, description, sampleBytes(5))
    assertDescribes(meta, description, 5)
    await assertOpens(store, meta, sampleBytes(5))
  })

  test('keeps its own copy of what is written', async (store) => {
    const buffer = new Uint8Array(1000)
    const sink = await store.create(describeSnapshot(5, 1))
    for (let i = 0; i < 5; i++) {
      buffer.fill(i)
      await sink.write(buffer)
    }
    buffer.fill(0xff)
    const expected = new Uint8Array(5000).map((_, i) => Math.floor(i / 1000))
    await assertOpens(store, await sink.close(), expected)
  })

  otherSinkCases(test)
}

function otherSinkCases(test: SnapshotStoreCase): void {
  test('does nothing when a finished snapshot is cancelled', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.write(sampleBytes(50))
    const meta = await sink.close()
    await sink.cancel()
    await assertLists(store, meta)
    await assertOpens(store, meta, sampleBytes(50))
  })

  test('is whole or gone when it is cancelled while it is closed', async (store) => {
    const sink = await store.create(describeSnapshot(20, 3))
    await sink.write(sampleBytes(5000))
    const closing = watched(sink.close())
    await sink.cancel()
    const meta = await closing.catch(async (error: unknown) => {
      await rejectsWith(Promise.reject(error))
    })
    await assertLists(store, ...(meta ? [meta] : []))
    if (meta) await assertOpens(store, meta, sampleBytes(5000))
  })

  test('makes a snapshot while others of the same entries lie abandoned', async (store) => {
    const description = describeSnapshot(20, 3)
    const abandoned = [await store.create(description), await store.create(description)]
    await abandoned[0]!.write(sampleBytes(5000))
    const meta = await save(store, description, sampleBytes(100))
    await assertLists(store, meta)
    await assertOpens(store, meta, sampleBytes(100))
    for (const sink of abandoned) await sink.cancel()
    await assertLists(store, meta)
  })

  test('writes two snapshots at once without mixing them', async (store) => {
    const first = await store.create(describeSnapshot(10, 1))
    const second = await store.create(describeSnapshot(20, 1))
    for (let i = 0; i < 20; i++)
      await Promise.all([first.write(sampleBytes(5000, 1)), second.write(sampleBytes(3000, 2))])
    await second.cancel()
    const meta = await first.close()
    await assertLists(store, meta)
    await assertOpens(store, meta, joined(Array.from({ length: 20 }, () => sampleBytes(5000, 1))))
  })
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0))
  let place = 0
  for (const chunk of chunks) {
    whole.set(chunk, place)
    place += chunk.length
  }
  return whole
}
