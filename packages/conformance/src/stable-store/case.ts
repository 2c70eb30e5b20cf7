// What the parts of the stable store suite share: how a case is written, and how a store is checked.

import assert from 'node:assert/strict'
import type { HardState, StableStore } from '@raftkit/interface'
import { assertSameBytes } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'

/** Registers one case; `store` is new and empty. */
export type StableStoreCase = (
  title: string,
  body: (store: StableStore, bench: Workbench<StableStore>) => Promise<void>,
) => void

/** A term with a vote. */
export const vote: HardState = { term: 7, votedFor: { id: 'server-1', address: '10.0.0.1:7000' } }

/** Asserts that term and vote are these. */
export async function assertHardState(store: StableStore, expected: HardState): Promise<void> {
  const actual = await store.loadHardState()
  assert.ok(actual, `term ${expected.term} was saved, nothing was loaded`)
  assert.equal(actual.term, expected.term)
  assert.equal(actual.votedFor?.id, expected.votedFor?.id)
  assert.equal(actual.votedFor?.address, expected.votedFor?.address)
}

/** Asserts that the value is these bytes. */
export async function assertValue(
  store: StableStore,
  key: string,
  value: Uint8Array,
): Promise<void> {
  const actual = await store.get(key)
  assert.ok(actual, `'${key}' was set, nothing was got`)
  assertSameBytes(actual, value, `value of '${key}'`)
}
