// One worker process: takes seeds one by one and says what came of each.
import { failureText, replayArguments, type SeedResult } from '@raftkit/simulator'
import type { Job, SeedFailure, SeedMessage, WorkerMessage } from './messages.ts'
import { realResources } from './real-resources.ts'
import { runOne } from './seed-options.ts'

// Simulated servers make errors by the thousand, and nobody reads where: traces of the stack cost a tenth of the time.
Error.stackTraceLimit = 0

process.on('message', (job: Job) => {
  run(job).then(
    (message) => process.send?.(message),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})

const ready: WorkerMessage = 'ready'
process.send?.(ready)

async function run(job: Job): Promise<SeedMessage> {
  const resources = realResources()
  const startedAt = process.cpuUsage()
  const result = await runOne(job.seed, job)
  const { user, system } = process.cpuUsage(startedAt)
  const left = realResources()
  if (left !== resources) throw new Error(`real timers or I/O were left behind: ${left}`)
  const { historyUndecided, simulatedMs, events, calls, committed, marks, ownMarks } = result
  return {
    seed: job.seed,
    failure: failureOf(result, job),
    historyUndecided,
    simulatedMs,
    busyMs: (user + system) / 1000,
    events,
    calls,
    committed,
    marks: { ...marks, ...ownMarks },
  }
}

function failureOf(result: SeedResult, { canary }: Job): SeedFailure | undefined {
  const { seed, violation } = result
  if (violation === undefined) return undefined
  const { check, message } = violation
  const replay = replayArguments(result).join(' ') + (canary ? ' --canary' : '')
  return { seed, check, message, replay, text: failureText(result) }
}
