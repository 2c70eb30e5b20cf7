import { rejectsWith } from '../rejection.ts'
import { batchOf, sampleEntries } from '../sample-entries.ts'
import { append, assertHolds } from './case.ts'
import type { LogStoreCase } from './case.ts'

/** Cases about what is appended. */
export function appendCases(test: LogStoreCase): void {
  test('holds nothing at first', async (store) => {
    await assertHolds(store, 1, [])
    await rejectsWith(store.read(1, 1, { maxBytes: 100 }), 'RAFT_LOG_NOT_FOUND')
  })

  test('gives back what was appended: bytes, term and type of every entry', async (store) => {
    const entries = [...sampleEntries(7, 1), ...sampleEntries(5, 4, 2)]
    await append(store, 1, entries)
    await assertHolds(store, 1, entries)
  })

  test('appends behind what is there', async (store) => {
    const entries = sampleEntries(9, 3)
    for (const [i, entry] of entries.entries()) await append(store, 1 + i, [entry])
    await assertHolds(store, 1, entries)
  })

  test('appends several batches in one call', async (store) => {
    const entries = sampleEntries(10, 2)
    await store.append([
      batchOf(1, entries.slice(0, 3)),
      batchOf(4, entries.slice(3, 4)),
      batchOf(5, entries.slice(4)),
    ])
    await assertHolds(store, 1, entries)
  })

  test('appends a slice of a batch and no more of its buffer', async (store) => {
    const entries = sampleEntries(10, 2)
    const whole = batchOf(1, entries)
    await store.append([whole.slice(1, 4)])
    await store.append([whole.slice(5, 6), whole.slice(7, 10)])
    await assertHolds(store, 1, entries)
  })

  edgeCases(test)
  gapCases(test)
}

function edgeCases(test: LogStoreCase): void {
  test('does nothing when there is nothing to append', async (store) => {
    await store.append([])
    await assertHolds(store, 1, [])
    await append(store, 3, sampleEntries(2, 1))
    await store.append([])
    await assertHolds(store, 3, sampleEntries(2, 1))
  })

  test('keeps thousands of entries, in the order of their indexes', async (store) => {
    // Across 10 000 and, below, 65 536: a key that sorts as text or in little-endian order goes wrong there.
    const first = 9_400
    const entries = sampleEntries(1200, 2)
    for (let i = 0; i < entries.length; i += 100)
      await append(store, first + i, entries.slice(i, i + 100))
    await assertHolds(store, first, entries)
    await store.truncatePrefix(first + 1199)
    await append(store, 65_500, entries.slice(0, 100))
    await assertHolds(store, 65_500, entries.slice(0, 100))
  })

  for (const first of [7, 2 ** 31 - 2, 2 ** 32 - 2, 2 ** 40, Number.MAX_SAFE_INTEGER - 3])
    test(`starts at index ${first} when empty`, async (store) => {
      const entries = sampleEntries(4, first)
      await append(store, first, entries)
      await assertHolds(store, first, entries)
      await store.truncateSuffix(first + 3)
      await store.truncatePrefix(first)
      await assertHolds(store, first + 1, entries.slice(1, 3))
    })
}

function gapCases(test: LogStoreCase): void {
  const held = sampleEntries(4, 1)

  for (const [title, start] of [
    ['leaves a gap behind', 10],
    ['starts on', 8],
    ['starts before', 7],
    ['starts long before', 1],
  ] as const)
    test(`refuses a batch that ${title} the last entry, and changes nothing`, async (store) => {
      await append(store, 5, held)
      await rejectsWith(store.append([batchOf(start, sampleEntries(2, 2))]), 'RAFT_LOG_GAP')
      await assertHolds(store, 5, held)
    })

  test('refuses batches with a gap between them, and stores none of them', async (store) => {
    const gap = [batchOf(1, sampleEntries(2, 1)), batchOf(4, sampleEntries(2, 1))]
    await rejectsWith(store.append(gap), 'RAFT_LOG_GAP')
    await assertHolds(store, 1, [])
  })

  test('takes the right batch after it refused a wrong one', async (store) => {
    await append(store, 5, held)
    await rejectsWith(store.append([batchOf(20, sampleEntries(1, 1))]), 'RAFT_LOG_GAP')
    await append(store, 9, sampleEntries(2, 2))
    await assertHolds(store, 5, [...held, ...sampleEntries(2, 2)])
  })
}
