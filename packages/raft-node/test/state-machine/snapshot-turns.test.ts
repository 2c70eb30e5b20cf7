import { expect, it } from 'vitest'
import { ledger } from '../ledger.ts'
import { sessionMachine } from '../../src/sessions/session-machine.ts'
import { clockOf } from '../clock-of.ts'

/** Turns asked for while a machine writes a snapshot of so many pieces of 64 KiB. */
async function turnsFor(pieces: number): Promise<number> {
  let turns = 0
  const clock = clockOf(() => 0)
  const machine = sessionMachine(
    {
      ...ledger(),
      apply: () => new Uint8Array(0),
      restore: async () => {},
      snapshot: () => ({
        persist: async (writer) => {
          for (let piece = 0; piece < pieces; piece += 1)
            await writer.write(new Uint8Array(64 * 1024))
        },
      }),
    },
    {
      ...clock,
      afterInput: (callback) => {
        turns += 1
        clock.afterInput(callback)
      },
    },
  )
  const snapshot = await machine.snapshot()
  await snapshot.persist({ write: async () => {} })
  return turns
}

it('the event loop turns while a large snapshot is written, and not for a small one', async () => {
  expect(await turnsFor(3)).toBe(0)
  expect(await turnsFor(33)).toBe(8)
})
