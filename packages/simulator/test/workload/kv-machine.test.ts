import { testStateMachine } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { encodeCommand } from '../../src/workload/kv-commands.ts'
import { KvMachine } from '../../src/workload/kv-machine.ts'

testStateMachine({
  runner: { describe, it },
  name: 'KvMachine',
  // One line for each key: stores and transports see to it that none is missing at the end.
  supports: { canonicalSnapshots: true, detectsTruncation: false, applyBatch: false },
  open: () => new KvMachine(),
  commands: [
    { op: 'put', key: 'apple', value: 1 } as const,
    { op: 'put', key: 'pear', value: 2 } as const,
    { op: 'cas', key: 'apple', value: 3, expected: 1 } as const,
    { op: 'cas', key: 'pear', value: 4, expected: 1 } as const,
    { op: 'put', key: 'plum', value: 500_000 } as const,
    { op: 'cas', key: 'quince', value: 6, expected: 0 } as const,
  ].map(encodeCommand),
})
