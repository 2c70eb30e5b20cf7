// One worker process: takes seeds one by one and says what came of each.
import { failureText, runSeed } from '@raftkit/simulator'
import type { SeedMessage } from './tally.ts'

const [profile = 'default', servers = ''] = process.argv.slice(2)

process.on('message', (seed: number) => {
  run(seed).then(
    (message) => process.send?.(message),
    (error: unknown) => {
      console.error(`seed ${seed}:`, error)
      process.exit(1)
    },
  )
})

async function run(seed: number): Promise<SeedMessage> {
  const startedAt = process.cpuUsage()
  const result = await runSeed(seed, {
    profile,
    ...(servers === '' ? {} : { servers: Number(servers) }),
  })
  const { user, system } = process.cpuUsage(startedAt)
  const { violation, simulatedMs, events, calls, committed, marks } = result
  return {
    seed,
    check: violation?.check,
    failure: violation === undefined ? undefined : failureText(result),
    simulatedMs,
    busyMs: (user + system) / 1000,
    events,
    calls,
    committed,
    marks,
  }
}
