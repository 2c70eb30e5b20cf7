// `pnpm sim`: runs seeds of the simulator on every core there is, and says which fail and how to see them again.
import { fork } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { failureText, runSeed, wordsOf } from '@raftkit/simulator'
import { parseArguments, USAGE, type Arguments } from './arguments.ts'
import { Tally, type SeedMessage } from './tally.ts'

const parsed = parseArguments(process.argv.slice(2))
if ('problem' in parsed) {
  console.error(`${parsed.problem}\n\n${USAGE}`)
  process.exitCode = 2
} else if (parsed.trace) await traceSeed(parsed)
else await runSeeds(parsed)

/** One seed, told line by line. */
async function traceSeed({ first, profile, servers }: Arguments): Promise<void> {
  const result = await runSeed(first, {
    profile,
    ...(servers === undefined ? {} : { servers }),
    onLine: (line) => console.log(wordsOf(line)),
  })
  console.log(JSON.stringify(result.options, null, 2))
  if (result.violation === undefined)
    console.log(`seed ${first}: nothing wrong, trace ${result.traceHash}`)
  else {
    console.log(failureText(result))
    process.exitCode = 1
  }
}

/** A range of seeds, spread over worker processes: each asks for the next seed when it is done with one. */
async function runSeeds(options: Arguments): Promise<void> {
  const { first, last, profile, json } = options
  const tally = new Tally(profile)
  let next = first
  const workers = Math.min(options.jobs ?? availableParallelism(), last - first + 1)
  const results = Array.from({ length: workers }, () =>
    work(
      options,
      () => (next <= last ? next++ : undefined),
      (message) => {
        tally.add(message)
        if (!json && message.failure !== undefined) console.log(`${message.failure}\n`)
      },
    ),
  )
  await Promise.all(results)
  if (tally.seeds < last - first + 1) tally.broken = last - first + 1 - tally.seeds
  console.log(json ? JSON.stringify(tally.report(), null, 2) : tally.summary())
  if (!tally.isClean) process.exitCode = 1
}

function work(
  { profile, servers }: Arguments,
  nextSeed: () => number | undefined,
  onSeed: (message: SeedMessage) => void,
): Promise<void> {
  const path = fileURLToPath(new URL('worker.ts', import.meta.url))
  const worker = fork(path, [profile, String(servers ?? '')], { execArgv: process.execArgv })
  const hand = (): void => {
    const seed = nextSeed()
    if (seed === undefined) worker.disconnect()
    else worker.send(seed)
  }
  return new Promise((resolve) => {
    worker.on('message', (message: SeedMessage) => {
      onSeed(message)
      hand()
    })
    worker.on('exit', () => resolve())
    hand()
  })
}
