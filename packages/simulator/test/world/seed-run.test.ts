import { describe, expect, it } from 'vitest'
import { runSeed } from '@raftkit/simulator'
import { KvMachine } from '../../src/workload/kv-machine.ts'
import { kvWorkload } from '../../src/workload/kv-workload.ts'

describe('the result of a seed', () => {
  it('says when nobody could decide whether the history is linearizable', async () => {
    const undecided = await runSeed(1, {
      profile: 'calm',
      servers: 1,
      reduction: { untilMs: 2000 },
      stateMachine: () => new KvMachine(),
      workload: () => ({ ...kvWorkload(), judge: () => ({ result: 'unknown', part: 'k0a' }) }),
    })
    expect(undecided.violation).toBeUndefined()
    expect(undecided.historyUndecided).toBe(true)
    const decided = await runSeed(1, { profile: 'calm', servers: 1, reduction: { untilMs: 2000 } })
    expect(decided.historyUndecided).toBe(false)
  })
})
