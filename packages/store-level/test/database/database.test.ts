import { LevelStore } from '@raftkit/store-level'
import { ClassicLevel } from 'classic-level'
import type { ChainedBatch } from 'classic-level'
import { expect, onTestFinished, test, vi } from 'vitest'
import { entries } from '../entries.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

// That a write without a sync is gone shows in a power cut only, so this looks at what LevelDB is asked for.
test('every write is synced', async () => {
  const put = vi.spyOn(ClassicLevel.prototype, 'put')
  const write = vi.spyOn(await chainedBatchPrototype(), 'write')
  const others = (['batch', 'del', 'clear'] as const).map((name) =>
    vi.spyOn(ClassicLevel.prototype, name),
  )
  onTestFinished(() => {
    vi.restoreAllMocks()
  })
  await using store = await LevelStore.open(await temporaryDirectory(), { maxBlockBytes: 4096 })
  await store.append([entries(1, 9)])
  await store.append([entries(10, 9, 1, 3000)])
  await store.truncateSuffix(3)
  await store.truncatePrefix(1)
  await store.truncatePrefix(9)
  await store.append([entries(50, 2)])
  await store.saveHardState({ term: 1 })
  await store.set('a', Buffer.of(1))
  const putOptions = put.mock.calls.map((call) => call.at(2))
  const writeOptions = write.mock.calls.map((call) => call.at(0))
  expect(putOptions.length).toBeGreaterThan(1)
  expect(writeOptions.length).toBeGreaterThan(5)
  for (const options of [...putOptions, ...writeOptions]) expect(options).toEqual({ sync: true })
  // A chained batch is begun by batch() without operations; with operations it is several times slower.
  expect(others.flatMap(({ mock }) => mock.calls.filter((call) => call.length > 0))).toEqual([])
})

/** classic-level does not export the class. */
async function chainedBatchPrototype(): Promise<
  Pick<ChainedBatch<unknown, unknown, unknown>, 'write'>
> {
  const level = new ClassicLevel(await temporaryDirectory())
  await level.open()
  const prototype: unknown = Object.getPrototypeOf(level.batch())
  await level.close()
  return prototype as Pick<ChainedBatch<unknown, unknown, unknown>, 'write'>
}
