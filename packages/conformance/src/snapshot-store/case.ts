// What the parts of the snapshot store suite share: how a case is written, and how snapshots are made and checked.

import assert from 'node:assert/strict'
import type {
  Configuration,
  Server,
  SnapshotDescription,
  SnapshotMeta,
  SnapshotSink,
  SnapshotStore,
} from '@raftkit/interface'
import { assertSameBytes, collect } from '../sample-bytes.ts'
import type { Workbench } from '../store-bench.ts'

/** Registers one case; `store` is new and empty. */
export type SnapshotStoreCase = (
  title: string,
  body: (store: SnapshotStore, bench: Workbench<SnapshotStore>) => Promise<void>,
) => void

const configuration: Configuration = {
  servers: [
    { suffrage: 'voter', id: 'a', address: '10.0.0.1:7000' },
    { suffrage: 'nonvoter', id: 'größer', address: '[::1]:7001' },
    { suffrage: 'voter', id: 'c', address: 'c.example:7002', diskId: 2 ** 53 - 1 },
  ],
}

/** A snapshot of these entries. */
export function describeSnapshot(index: number, term: number): SnapshotDescription {
  return { index, term, configuration, configurationIndex: Math.max(1, index - 3) }
}

/** A snapshot taken while several members were changing. */
export function describeJoint(index: number, term: number): SnapshotDescription {
  const next: readonly Server[] = [
    ...configuration.servers.slice(1),
    { suffrage: 'voter', id: 'd', address: 'd.example:7003', diskId: 7 },
  ]
  return { ...describeSnapshot(index, term), configuration: { ...configuration, next } }
}

/** Writes a whole snapshot. */
export async function save(
  store: SnapshotStore,
  description: SnapshotDescription,
  ...chunks: readonly Uint8Array[]
): Promise<SnapshotMeta> {
  const sink = await store.create(description)
  await writeAll(sink, chunks)
  return sink.close()
}

/** Writes every chunk. */
export async function writeAll(sink: SnapshotSink, chunks: readonly Uint8Array[]): Promise<void> {
  for (const chunk of chunks) await sink.write(chunk)
}

/** Asserts that the store lists exactly these snapshots, in this order. */
export async function assertLists(
  store: SnapshotStore,
  ...metas: readonly SnapshotMeta[]
): Promise<void> {
  const listed = await store.list()
  assert.deepEqual(
    listed.map((meta) => meta.id),
    metas.map((meta) => meta.id),
  )
  for (const [i, meta] of metas.entries()) assertSameMeta(listed[i]!, meta)
}

/** Asserts that opening gives the metadata and exactly these bytes. */
export async function assertOpens(
  store: SnapshotStore,
  meta: SnapshotMeta,
  bytes: Uint8Array,
): Promise<void> {
  const snapshot = await store.open(meta.id)
  try {
    assertSameMeta(snapshot.meta, meta)
    assertSameBytes(await collect(snapshot.state), bytes, `state of snapshot ${meta.id}`)
  } finally {
    await snapshot.close()
  }
}

/** Asserts that the metadata says what was described, and how many bytes were written. */
export function assertDescribes(
  meta: SnapshotMeta,
  description: SnapshotDescription,
  size: number,
): void {
  assertSameMeta(meta, { id: meta.id, version: 1, ...description, size })
}

function assertSameMeta(actual: SnapshotMeta, expected: SnapshotMeta): void {
  for (const field of ['id', 'version', 'index', 'term', 'configurationIndex', 'size'] as const)
    assert.equal(actual[field], expected[field], `${field} of snapshot ${expected.id}`)
  assert.deepEqual(copied(actual.configuration.servers), copied(expected.configuration.servers))
  assert.deepEqual(copied(actual.configuration.next), copied(expected.configuration.next))
}

/** Plain objects: how a store holds them is its own affair. */
function copied(servers: readonly Server[] | undefined): readonly Server[] | undefined {
  return servers?.map((server) => ({ ...server }))
}
