import assert from 'node:assert/strict'
import type { StateMachine } from '@raftkit/interface'
import { assertHonest } from '../manifest.ts'
import type { Runner } from '../runner.ts'
import type { StateMachineCase, StateMachineManifest } from './case.ts'
import { determinismCases } from './determinism.ts'
import type { StateMachineHooks } from './replica.ts'
import { detectsTruncation, restoreFailureCases } from './restore-failure.ts'
import { givesCanonicalSnapshots, snapshotCases } from './snapshot.ts'

/** What {@link testStateMachine} needs. */
export interface StateMachineSuite<M extends StateMachine> extends StateMachineHooks<M> {
  readonly runner: Runner
  /** The implementation, as the tests are to call it. */
  readonly name: string
  readonly supports: StateMachineManifest
}

/** Registers what every StateMachine must do to be replicated. */
export function testStateMachine<M extends StateMachine>(suite: StateMachineSuite<M>): void {
  const { runner, name, supports } = suite
  runner.describe(`${name} as a StateMachine`, () => {
    runner.it('supports what its manifest says', async () => {
      const machine = await suite.open()
      const has = machine.applyBatch !== undefined
      assert.equal(has, supports.applyBatch, 'applyBatch is there as the manifest says')
      assert.ok(
        supports.canonicalSnapshots || suite.inspect !== undefined,
        'snapshots are not canonical, so inspect must be given to compare states',
      )
      assert.ok(suite.commands.length >= 4, 'four commands at least')
      await assertHonest([
        {
          flag: 'canonicalSnapshots',
          says: supports.canonicalSnapshots,
          hook: 'snapshot',
          given: true,
          proof: () => givesCanonicalSnapshots(suite),
        },
        {
          flag: 'detectsTruncation',
          says: supports.detectsTruncation,
          hook: 'restore',
          given: true,
          proof: () => detectsTruncation(suite),
        },
      ])
    })
    const test: StateMachineCase = (title, body) => runner.it(title, body)
    determinismCases(test, suite, supports)
    snapshotCases(test, suite, supports)
    restoreFailureCases(test, suite, supports)
  })
}
