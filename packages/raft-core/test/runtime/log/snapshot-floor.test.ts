import { RaftError } from '@raftkit/interface'
import { InmemStore } from '@raftkit/store-inmem'
import { describe, expect, it } from 'vitest'
import {
  checkSnapshotFloor,
  loadSnapshotFloor,
  saveSnapshotFloor,
} from '../../../src/runtime/log/snapshot-floor.ts'
import { rejection } from '../../support/rejection.ts'

describe('the snapshot floor', () => {
  it('is 0 until it was saved, and then what was saved', async () => {
    const store = new InmemStore()
    expect(await loadSnapshotFloor(store)).toBe(0)
    await saveSnapshotFloor(store, 2 ** 40)
    expect(await loadSnapshotFloor(store)).toBe(2 ** 40)
  })

  it.each(['', '-1', '1.5', '1e3', '9007199254740993', 'x'])(
    'refuses %j for a number',
    async (text) => {
      const store = new InmemStore()
      await store.set('snapshot-floor', new TextEncoder().encode(text))
      expect(RaftError.is(await rejection(loadSnapshotFloor(store)), 'RAFT_STORE_CORRUPT')).toBe(
        true,
      )
    },
  )

  it.each([
    ['the newest snapshot is there', 10, 0, 0],
    ['a newer one is there', 12, 0, 0],
    ['an older one and all entries since are there', 5, 6, 11],
  ])('is satisfied when %s', (_what, snapshotIndex, firstIndex, lastIndex) => {
    expect(() => checkSnapshotFloor(10, snapshotIndex, { firstIndex, lastIndex })).not.toThrow()
  })

  it.each([
    ['only an older snapshot is left', 9, 0, 0],
    ['nothing is left', 0, 0, 0],
    ['the log ends before it', 5, 6, 9],
  ])('refuses a start when %s', (_what, snapshotIndex, firstIndex, lastIndex) => {
    expect(() => checkSnapshotFloor(10, snapshotIndex, { firstIndex, lastIndex })).toThrow(
      expect.objectContaining({
        code: 'RAFT_STORE_LOST_DATA',
        details: { floor: 10, lastIndex: Math.max(snapshotIndex, lastIndex) },
      }),
    )
  })
})
