// The process of one hunt in the simulator: runs seeds in order until one fails. It is bundled with the mutant in it.
import { runSeed } from '@raftkit/simulator'
import { findingOf, type HuntMessage } from './hunt-messages.ts'

const [profile = 'default', first = '1', last = '1'] = process.argv.slice(2)

for (let seed = Number(first); seed <= Number(last); seed++) {
  const { violation } = await runSeed(seed, { profile })
  const message: HuntMessage = {
    finding:
      violation === undefined
        ? { outcome: 'survived' }
        : findingOf(violation.check, violation.message),
  }
  process.send?.(message)
  if (violation !== undefined) break
}
process.disconnect?.()
