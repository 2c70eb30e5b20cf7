import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { importLog, LevelStore } from '@raftkit/store-level'
import { expect, it } from 'vitest'
import { localDisk } from '../../src/database/disk.ts'
import { contentsOf, entries } from '../entries.ts'
import {
  chunks,
  endRecord,
  entriesRecord,
  MAGIC,
  record,
  stateRecord,
  valueRecord,
} from '../export-bytes.ts'
import { rejectionOf } from '../refusal.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const vote = { id: 'n2', address: '127.0.0.1:7002' }
const state = stateRecord({ term: 3, votedFor: vote })
const whole = Buffer.concat([
  MAGIC,
  state,
  valueRecord('snapshot-floor', '10'),
  entriesRecord(entries(11, 3, 1)),
  entriesRecord(entries(14, 2, 3, 3000)),
  endRecord(5, 15),
])

async function target(): Promise<string> {
  return join(await temporaryDirectory(), 'log')
}

/** What is beside the target, and the target if it is there. */
async function leftBy(directory: string): Promise<readonly string[]> {
  return readdir(dirname(directory))
}

it('imports log, term, vote and values, from chunks of any size', async () => {
  for (const size of [1, 7, 1 << 20]) {
    const directory = await target()
    const imported = await importLog({ directory, source: chunks(whole, size), serverId: 'n1' })
    expect(imported).toEqual({ firstIndex: 11, lastIndex: 15, term: 3 })
    const store = await LevelStore.open(directory, { serverId: 'n1', mustExist: true })
    expect(await store.bounds()).toEqual({ firstIndex: 11, lastIndex: 15 })
    expect(await store.loadHardState()).toEqual({ term: 3, votedFor: vote })
    expect(Buffer.from((await store.get('snapshot-floor'))!).toString()).toBe('10')
    const read = await store.read(11, 15, { maxBytes: 1 << 20 })
    expect(contentsOf(read)).toEqual([
      ...contentsOf(entries(11, 3, 1)),
      ...contentsOf(entries(14, 2, 3, 3000)),
    ])
    await store.close()
    expect(await leftBy(directory)).toEqual(['log'])
  }
})

it('reads its source from the start on, before it waits for the disk', async () => {
  const directory = await target()
  const source = chunks(whole, 100)
  let isRead = false
  const observed: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: () => {
        isRead = true
        return source.next()
      },
    }),
  }
  const importing = importLog({ directory, source: observed })
  expect(isRead).toBe(true)
  expect(await importing).toMatchObject({ lastIndex: 15 })
})

it('lets go of a source that it will not read to the end', async () => {
  const directory = await target()
  let isClosed = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield new Uint8Array(100)
    } finally {
      isClosed = true
    }
  }
  await rejectionOf(importLog({ directory, source: source() }))
  expect(isClosed).toBe(true)
})

it('rejects when its source does', async () => {
  const directory = await target()
  const source: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('the pipe broke')) }),
  }
  await expect(importLog({ directory, source })).rejects.toThrow('the pipe broke')
  expect(await leftBy(directory)).toEqual([])
})

it('imports an empty log without a vote', async () => {
  const directory = await target()
  const source = chunks(Buffer.concat([MAGIC, stateRecord({ term: 0 }), endRecord(0, 0)]), 100)
  expect(await importLog({ directory, source })).toEqual({ firstIndex: 0, lastIndex: 0, term: 0 })
})

it('records whose server the store is', async () => {
  const directory = await target()
  await importLog({ directory, source: chunks(whole, 100), serverId: 'n1' })
  const error = await rejectionOf(LevelStore.open(directory, { serverId: 'n2' }))
  expect(error.code).toBe('RAFT_STORE_FOREIGN')
})

it('takes an empty directory and refuses one that holds something, which stays as it was', async () => {
  const empty = await target()
  await mkdir(empty)
  await importLog({ directory: empty, source: chunks(whole, 100) })

  const directory = await target()
  await mkdir(directory)
  await writeFile(join(directory, 'notes'), 'mine')
  const error = await rejectionOf(importLog({ directory, source: chunks(whole, 100) }))
  expect(error.code).toBe('RAFT_STORE_UNUSABLE')
  expect(await readdir(directory)).toEqual(['notes'])
  expect(await leftBy(directory)).toEqual(['log'])
})

it('does not import twice', async () => {
  const directory = await target()
  await importLog({ directory, source: chunks(whole, 100) })
  const error = await rejectionOf(importLog({ directory, source: chunks(whole, 100) }))
  expect(error.code).toBe('RAFT_STORE_UNUSABLE')
})

it('leaves nothing when the export is cut short, wherever it is', async () => {
  const directory = await target()
  const ends = [0, 4, MAGIC.length, MAGIC.length + state.length, 150, 300, whole.length - 1]
  for (const length of [...ends, whole.length - endRecord(5, 15).length]) {
    const source = chunks(whole.subarray(0, length), 512)
    const error = await rejectionOf(importLog({ directory, source }))
    expect([length, error.code]).toEqual([length, 'RAFT_DECODE_FAILED'])
    expect(await leftBy(directory)).toEqual([])
  }
})

it.each([
  ['no term and vote', [endRecord(0, 0)]],
  ['term and vote twice', [state, state, endRecord(0, 0)]],
  ['no end', [state]],
  ['something after the end', [state, endRecord(0, 0), valueRecord('a', 'b')]],
  ['another number of entries', [state, entriesRecord(entries(1, 2)), endRecord(3, 2)]],
  ['another last index', [state, entriesRecord(entries(1, 2)), endRecord(2, 3)]],
  ['a hole', [state, entriesRecord(entries(1, 2)), entriesRecord(entries(4, 2)), endRecord(4, 5)]],
  [
    'entries twice',
    [state, entriesRecord(entries(1, 2)), entriesRecord(entries(1, 2)), endRecord(4, 2)],
  ],
  [
    'a term that goes back',
    [state, entriesRecord(entries(1, 2, 3)), entriesRecord(entries(3, 1, 2)), endRecord(3, 3)],
  ],
  ['an entry after the term', [state, entriesRecord(entries(1, 1, 4)), endRecord(1, 1)]],
  ['entries from index 0', [state, entriesRecord(entries(0, 1)), endRecord(1, 0)]],
  ['no entries in a record of entries', [state, record(2, Buffer.alloc(12)), endRecord(0, 0)]],
  ['an unknown kind', [state, record(9, Buffer.alloc(1)), endRecord(0, 0)]],
  ['a term that is none', [stateRecord({ term: -1 }), endRecord(0, 0)]],
  ['a vote without an address', [stateRecord({ term: 1, votedFor: { id: 'a' } }), endRecord(0, 0)]],
  ['a state that is no JSON', [record(1, Buffer.from('{')), endRecord(0, 0)]],
])('refuses %s', async (_, records) => {
  const directory = await target()
  const source = chunks(Buffer.concat([MAGIC, ...records]), 100)
  const error = await rejectionOf(importLog({ directory, source }))
  expect(error.code).toBe('RAFT_DECODE_FAILED')
  expect(await leftBy(directory)).toEqual([])
})

it('bounds a record', async () => {
  const directory = await target()
  const source = chunks(whole, 100)
  const error = await rejectionOf(importLog({ directory, source, maxRecordBytes: 4096 }))
  expect(error.code).toBe('RAFT_LIMIT_EXCEEDED')
  expect(await leftBy(directory)).toEqual([])
})

it('checks its options', async () => {
  const directory = await target()
  const error = await rejectionOf(
    importLog({ directory, source: chunks(whole, 9), maxRecordBytes: 1 }),
  )
  expect(error.code).toBe('RAFT_INVALID_ARGUMENT')
})

it('leaves nothing under the name when the process ends before the rename', async () => {
  const directory = await target()
  const disk = {
    ...localDisk,
    rename: (from: string, to: string) =>
      to === directory ? Promise.reject(new Error('the end')) : localDisk.rename(from, to),
  }
  const error = await rejectionOf(importLog({ directory, source: chunks(whole, 100) }, disk))
  expect(error.code).toBe('RAFT_STORE_UNUSABLE')
  expect(await leftBy(directory)).toEqual([])
})
