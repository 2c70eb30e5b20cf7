import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { BoundaryFile, NO_BOUNDARY, STORE_FORMAT } from '../../src/boundary/boundary-file.ts'
import { BoundaryKeeper } from '../../src/boundary/boundary-keeper.ts'
import { localDisk } from '../../src/database/disk.ts'
import { Handle } from '../../src/handle.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const endAt = (lastIndex: number) => ({ lastIndex, lastTerm: 1, logChecksum: lastIndex })

/** A keeper, and the last indexes that it has written. */
async function newKeeper(delayMs: number) {
  const path = join(await temporaryDirectory(), 'boundary')
  await BoundaryFile.create(localDisk, path, { format: STORE_FORMAT, storeId: 'store' })
  const file = await BoundaryFile.open(localDisk, path)
  const written: number[] = []
  const write = vi.spyOn(file, 'write').mockImplementation(async (boundary) => {
    written.push(boundary.lastIndex)
  })
  const handle = new Handle('directory')
  return { keeper: new BoundaryKeeper(file, handle, delayMs), handle, written, write }
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('what is raised within the delay is written once', async () => {
  const { keeper, written } = await newKeeper(10)
  for (let i = 1; i <= 5; i++) await keeper.raise(endAt(i))
  expect(written).toEqual([])
  await vi.advanceTimersByTimeAsync(9)
  expect(written).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(written).toEqual([5])
  await vi.advanceTimersByTimeAsync(100)
  expect(written).toEqual([5])
  await keeper.raise(endAt(6))
  await vi.advanceTimersByTimeAsync(10)
  expect(written).toEqual([5, 6])
  await keeper.close()
})

test('without a delay, raising waits until it is written', async () => {
  const { keeper, written } = await newKeeper(0)
  await keeper.raise(endAt(1))
  await keeper.raise(endAt(2))
  expect(written).toEqual([1, 2])
  await keeper.close()
})

test('recording does not wait for the delay, and takes along what was raised', async () => {
  const { keeper, written } = await newKeeper(10)
  await keeper.raise(endAt(3))
  await keeper.record({ term: 2 })
  expect(written).toEqual([3])
  await vi.advanceTimersByTimeAsync(10)
  expect(written).toEqual([3])
  await keeper.close()
})

test('a promise that is taken back goes to both slots', async () => {
  const { keeper, written } = await newKeeper(10)
  await keeper.raise(endAt(9))
  await keeper.recordTwice(endAt(4))
  expect(written).toEqual([4, 4])
  await keeper.close()
})

test('writes do not overlap', async () => {
  const { keeper, write } = await newKeeper(0)
  const order: string[] = []
  const ends: (() => void)[] = []
  write.mockImplementation(async ({ lastIndex }) => {
    order.push(`start ${lastIndex}`)
    await new Promise<void>((resolve) => ends.push(resolve))
    order.push(`end ${lastIndex}`)
  })
  const first = keeper.raise(endAt(1))
  await vi.waitUntil(() => ends.length === 1)
  const second = keeper.raise(endAt(2))
  ends[0]!()
  await first
  await vi.waitUntil(() => ends.length === 2)
  ends[1]!()
  await second
  expect(order).toEqual(['start 1', 'end 1', 'start 2', 'end 2'])
  await keeper.close()
})

test('closing writes what is outstanding', async () => {
  const { keeper, written } = await newKeeper(10)
  await keeper.raise(endAt(3))
  await keeper.close()
  expect(written).toEqual([3])
  expect(vi.getTimerCount()).toBe(0)
})

test('a failed write ends the store, and nothing more is written', async () => {
  const { keeper, handle, write, written } = await newKeeper(10)
  write.mockRejectedValueOnce(new Error('no'))
  await expect(keeper.record({ term: 1 })).rejects.toMatchObject({ code: 'RAFT_STORE_FAILED' })
  expect(handle.failed).toBe(true)
  await expect(keeper.record({ term: 2 })).rejects.toMatchObject({ code: 'RAFT_STORE_FAILED' })
  await keeper.close()
  expect(written).toEqual([])
})

test('a failed store is closed without a last write', async () => {
  const { keeper, handle, written } = await newKeeper(10)
  await keeper.raise(endAt(3))
  handle.fail(new Error('no'))
  await keeper.close()
  expect(written).toEqual([])
  expect(NO_BOUNDARY.lastIndex).toBe(0)
})
