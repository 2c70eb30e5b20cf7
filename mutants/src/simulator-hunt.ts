// The process of one hunt in the simulator: runs seeds in order until one fails. It is bundled with the mutant in it.
import { KINDS } from '@raftkit-internal/sim/worlds'
import { runSeed } from '@raftkit/simulator'
import { findingOf, type HuntMessage } from './hunt-messages.ts'

const [profile = 'default', first = '1', last = '1'] = process.argv.slice(2)

for (let seed = Number(first); seed <= Number(last); seed++) {
  const kind = KINDS[profile]
  const { violation } = await (kind === undefined ? runSeed(seed, { profile }) : kind.run(seed, {}))
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
