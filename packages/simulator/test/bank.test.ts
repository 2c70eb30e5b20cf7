import { describe, expect, it } from 'vitest'
import { simulate, SimulationError } from '@raftkit/simulator'
import { Bank, type BankBug, bankWorkload } from './bank.ts'

const check = ({ total }: Bank): string | undefined =>
  total === 300 ? undefined : `the bank has ${total}, it was given 300`

async function failureOf(bug: BankBug): Promise<SimulationError> {
  const run = simulate({
    seeds: [1, 40],
    stateMachine: () => new Bank(bug),
    workload: bankWorkload,
    check,
  })
  const error: unknown = await run.catch((reason: unknown) => reason)
  if (error instanceof SimulationError) return error
  throw new Error('the bug was not found', { cause: error })
}

describe("a user's state machine", () => {
  it('passes when it is right', async () => {
    const report = await simulate({
      seeds: [1, 3],
      stateMachine: () => new Bank(),
      workload: bankWorkload,
      check,
    })
    expect(report.committed).toBeGreaterThan(20)
  }, 60_000)

  it('is caught when its snapshot forgets a part of the state', async () => {
    expect((await failureOf('forgets frozen accounts')).check).toBe('determinism')
  }, 60_000)

  it('is caught when it uses chance', async () => {
    expect((await failureOf('random fee')).check).toBe('determinism')
  }, 60_000)

  it('is caught by a check of its own', async () => {
    const error = await failureOf('loses money')
    expect(error.check).toBe('own check')
    expect(error.message).toContain('it was given 300')
    expect(error.message).toContain(`pnpm sim --seed ${error.seed}`)
  }, 60_000)
})
