// Run by real-time-guard.test.ts in a process of its own: a state machine that asks the platform for something.
import { runSeed } from '@raftkit/simulator'
import { Bank, bankWorkload } from '../bank.ts'

const STRAYS: Readonly<Record<string, () => unknown>> = {
  nothing: () => undefined,
  'Date.now': () => Date.now(),
  'new Date': () => new Date(),
  'performance.now': () => performance.now(),
  'Math.random': () => Math.random(),
  'crypto.randomUUID': () => crypto.randomUUID(),
  'AbortSignal.timeout': () => AbortSignal.timeout(1),
  setTimeout: () => setTimeout(() => {}, 0),
  setImmediate: () => setImmediate(() => {}),
}

const [name = ''] = process.argv.slice(2)

function strayBank(): Bank {
  const bank = new Bank()
  const apply = bank.apply.bind(bank)
  bank.apply = function strayApply(entry) {
    STRAYS[name]?.()
    return apply(entry)
  }
  return bank
}

// What loads TypeScript tidies up in a turn of its own after the start, and looks at the clock for that.
for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))

const { violation } = await runSeed(1, {
  profile: 'calm',
  servers: 1,
  reduction: { untilMs: 3000 },
  guardRealTime: true,
  stateMachine: strayBank,
  workload: bankWorkload,
})
console.log(violation === undefined ? 'fine' : `${violation.check}: ${violation.message}`)
