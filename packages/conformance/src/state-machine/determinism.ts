import assert from 'node:assert/strict'
import type { StateMachine } from '@raftkit/interface'
import { inWorld } from './other-world.ts'
import { Replica } from './replica.ts'
import type { StateMachineHooks } from './replica.ts'
import type { StateMachineCase, StateMachineManifest } from './case.ts'

/** Cases about replicas that apply the same commands. */
export function determinismCases<M extends StateMachine>(
  test: StateMachineCase,
  hooks: StateMachineHooks<M>,
  supports: StateMachineManifest,
): void {
  test('gives the same responses and state on two replicas', async () => {
    const [one, two] = [await Replica.open(hooks), await Replica.open(hooks)]
    assert.deepEqual(await one.apply(), await two.apply())
    await assertSameState(one, two)
  })

  test('gives the same at another time and with other random numbers', async () => {
    const run = async (): Promise<[unknown[], unknown]> => {
      const replica = await Replica.open(hooks)
      return [await replica.apply(), await replica.state()]
    }
    const first = await inWorld({ now: 1_000_000_000_000, chance: 0.25 }, run)
    const second = await inWorld({ now: 2_000_000_086_400, chance: 0.75 }, run)
    assert.deepEqual(second, first)
  })

  test('keeps no part of the buffer that a command came in, and does not change it', async () => {
    const [one, two] = [await Replica.open(hooks), await Replica.open(hooks)]
    assert.deepEqual(await two.applyFromReusedBuffers(), await one.apply())
    await assertSameState(one, two)
  })

  test('takes configurations between the commands', async () => {
    const servers = [{ suffrage: 'voter', id: 'a', address: 'a:1' }] as const
    const run = async (): Promise<[unknown[], unknown]> => {
      const replica = await Replica.open(hooks)
      await replica.machine.storeConfiguration?.(1, { servers })
      const responses = await replica.apply()
      await replica.machine.storeConfiguration?.(hooks.commands.length + 1, { servers: [] })
      return [responses, await replica.state()]
    }
    assert.deepEqual(await run(), await run())
  })

  if (supports.applyBatch)
    test('gives the same in batches as one by one', async () => {
      const [one, two] = [await Replica.open(hooks), await Replica.open(hooks)]
      assert.deepEqual(await two.applyInBatches(), await one.apply())
      await assertSameState(one, two)
    })
}

/** Asserts that two replicas are in the same state. */
export async function assertSameState<M extends StateMachine>(
  actual: Replica<M>,
  expected: Replica<M>,
): Promise<void> {
  assert.deepEqual(await actual.state(), await expected.state())
}
