import assert from 'node:assert/strict'
import type { StateMachine } from '@raftkit/interface'
import { rejectionOf } from '../rejection.ts'
import { inChunks } from '../sample-bytes.ts'
import { assertSameState } from './determinism.ts'
import { persisted, Replica } from './replica.ts'
import type { StateMachineHooks } from './replica.ts'
import type { StateMachineCase, StateMachineManifest } from './case.ts'

/** Cases about snapshots and what is restored from them. */
export function snapshotCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
  supports: StateMachineManifest,
): void {
  restoreCases(test, hooks, supports)
  momentCases(test, hooks)
  failureCases(test, hooks)
}

function restoreCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
  supports: StateMachineManifest,
): void {
  const all = hooks.commands.length

  for (const [title, after] of [
    ['before the first command', 0],
    ['after the first command', 1],
    ['midway', Math.floor(all / 2)],
    ['after the last command', all],
  ] as const)
    test(`goes on from a snapshot taken ${title} as if nothing had happened`, async () => {
      const original = await Replica.open(hooks)
      await original.apply(after)
      const restored = await restoredFrom(hooks, await original.snapshotBytes(), after)
      await assertSameState(restored, original)
      assert.deepEqual(await restored.apply(), await original.apply())
      await assertSameState(restored, original)
    })

  test('replaces the whole state when it restores', async () => {
    const original = await Replica.open(hooks)
    await original.apply(1)
    const bytes = await original.snapshotBytes()
    const other = await Replica.open(hooks)
    await other.apply()
    await other.machine.restore(inChunks(bytes, 1000))
    await assertSameState(other, original)
  })

  for (const [title, sizes] of [
    ['a byte at a time', [1]],
    ['in one piece', [Number.MAX_SAFE_INTEGER]],
    ['in uneven pieces, some of them empty', [7, 0, 1, 0, 64]],
  ] as const)
    test(`restores ${title}`, async () => {
      const original = await Replica.open(hooks)
      await original.apply()
      const restored = await Replica.open(hooks, all)
      await restored.machine.restore(inChunks(await original.snapshotBytes(), ...sizes))
      await assertSameState(restored, original)
    })

  if (supports.canonicalSnapshots)
    test('gives the same bytes from equal states, applied or restored', () =>
      givesCanonicalSnapshots(hooks))
}

/** The proof of `canonicalSnapshots`. */
export async function givesCanonicalSnapshots<M extends StateMachine>(
  hooks: StateMachineHooks<M>,
): Promise<void> {
  const all = hooks.commands.length
  const [one, two] = [await Replica.open(hooks), await Replica.open(hooks)]
  await one.apply()
  await two.apply()
  const bytes = await one.snapshotBytes()
  assert.deepEqual(await two.snapshotBytes(), bytes)
  assert.deepEqual(await (await restoredFrom(hooks, bytes, all)).snapshotBytes(), bytes)
}

function momentCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
): void {
  const half = Math.floor(hooks.commands.length / 2)

  test('captures the moment of snapshot(), whatever is applied before it is written', async () => {
    const [original, reference] = [await Replica.open(hooks), await Replica.open(hooks)]
    await original.apply(half)
    await reference.apply(half)
    const snapshot = await original.machine.snapshot()
    await original.apply()
    await assertSameState(await restoredFrom(hooks, await persisted(snapshot), half), reference)
  })

  test('captures the moment also when commands are applied while it is written', async () => {
    const [original, reference] = [await Replica.open(hooks), await Replica.open(hooks)]
    await original.apply(half)
    await reference.apply(half)
    const bytes = await persisted(await original.machine.snapshot(), async () => {
      await original.apply()
    })
    await assertSameState(await restoredFrom(hooks, bytes, half), reference)
  })

  test('lets go of a snapshot that is never written', async () => {
    const [original, reference] = [await Replica.open(hooks), await Replica.open(hooks)]
    await original.apply(half)
    await (await original.machine.snapshot()).release?.()
    await reference.apply()
    await original.apply()
    await assertSameState(original, reference)
  })
}

function failureCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
): void {
  test('fails to persist when the writer fails: half a snapshot must not pass for one', async () => {
    const original = await Replica.open(hooks)
    await original.apply()
    if ((await original.snapshotBytes()).length === 0) return
    const snapshot = await original.machine.snapshot()
    const full = new Error('the disk is full')
    const persisting = snapshot.persist({ write: () => Promise.reject(full) })
    assert.ok((await rejectionOf(persisting)) instanceof Error)
    await snapshot.release?.()
  })
}

/** A replica that was restored from the bytes, which hold so many commands. */
async function restoredFrom<M extends StateMachine>(
  hooks: StateMachineHooks<M>,
  bytes: Uint8Array,
  applied: number,
): Promise<Replica<M>> {
  const replica = await Replica.open(hooks, applied)
  await replica.machine.restore(inChunks(bytes, 1000))
  return replica
}
