import assert from 'node:assert/strict'
import type { StateMachine } from '@raftkit/interface'
import { inChunks } from '../sample-bytes.ts'
import type { StateMachineCase, StateMachineManifest } from './case.ts'
import { assertSameState } from './determinism.ts'
import { Replica } from './replica.ts'
import type { StateMachineHooks } from './replica.ts'

/** Most places at which a snapshot is cut. */
const CUTS_TRIED = 40

/** Cases about snapshots that do not arrive whole. A server that cannot restore one goes on with another. */
export function restoreFailureCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
  supports: StateMachineManifest,
): void {
  test('refuses to restore from a source that fails, and stays as it was', async () => {
    const bytes = await wholeSnapshot(hooks)
    for (const length of cutsOf(bytes)) {
      const refused = await refuses(hooks, failingAfter(bytes.subarray(0, length)))
      assert.ok(refused, `restored from a source that failed after ${length} bytes`)
    }
  })

  if (supports.detectsTruncation)
    test('refuses to restore from less than a whole snapshot, and stays as it was', () =>
      detectsTruncation(hooks))
  else
    test('stays as it was when it refuses less than a whole snapshot', async () => {
      const bytes = await wholeSnapshot(hooks)
      for (const length of cutsOf(bytes))
        await refuses(hooks, inChunks(bytes.subarray(0, length), 7))
    })

  test('restores from a whole snapshot after it refused half of one', async () => {
    const original = await Replica.open(hooks)
    await original.apply()
    const bytes = await original.snapshotBytes()
    const restored = await Replica.open(hooks, hooks.commands.length)
    const half = bytes.subarray(0, Math.floor(bytes.length / 2))
    await restored.machine.restore(failingAfter(half)).catch(() => {})
    await restored.machine.restore(inChunks(bytes, 1000))
    await assertSameState(restored, original)
  })
}

/** The proof of `detectsTruncation`. */
export async function detectsTruncation<M extends StateMachine>(
  hooks: StateMachineHooks<M>,
): Promise<void> {
  const bytes = await wholeSnapshot(hooks)
  for (const length of cutsOf(bytes)) {
    const refused = await refuses(hooks, inChunks(bytes.subarray(0, length), 7))
    assert.ok(refused, `restored from the first ${length} of ${bytes.length} bytes`)
  }
}

/** Whether a machine that has applied half of the commands refuses; then it must stay as it was, and go on. */
async function refuses<M extends StateMachine>(
  hooks: StateMachineHooks<M>,
  state: AsyncIterable<Uint8Array>,
): Promise<boolean> {
  const half = Math.floor(hooks.commands.length / 2)
  const [replica, untouched] = [await Replica.open(hooks), await Replica.open(hooks)]
  await replica.apply(half)
  await untouched.apply(half)
  try {
    await replica.machine.restore(state)
    return false
  } catch (error) {
    assert.ok(error instanceof Error, `threw ${String(error)}, which is no error`)
  }
  await assertSameState(replica, untouched)
  assert.deepEqual(await replica.apply(), await untouched.apply())
  return true
}

async function wholeSnapshot<M extends StateMachine>(
  hooks: StateMachineHooks<M>,
): Promise<Uint8Array> {
  const original = await Replica.open(hooks)
  await original.apply()
  return original.snapshotBytes()
}

/** Lengths below that of the snapshot: none of it, all but a byte, and places between. */
function cutsOf(bytes: Uint8Array): number[] {
  const count = Math.min(bytes.length, CUTS_TRIED)
  return Array.from({ length: count }, (_, i) =>
    i === count - 1 ? bytes.length - 1 : Math.floor((i * bytes.length) / count),
  )
}

async function* failingAfter(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes
  throw new Error('the connection broke')
}
