// One seed, looked at closely.
import { failureText, replayArguments, type SeedResult, wordsOf } from '@raftkit/simulator'
import type { Arguments } from './arguments.ts'
import { runOne, shrinkOne } from './seed-options.ts'

/** Tells everything that happens in a seed. True when nothing is wrong. */
export async function traceSeed(options: Arguments): Promise<boolean> {
  const { range, json } = options
  const result = await runOne(range.first, options, (line) => console.log(wordsOf(line)))
  console.log(JSON.stringify(json ? result : result.options, null, 2))
  const isClean = result.violation === undefined
  if (!json)
    console.log(
      isClean
        ? `seed ${range.first}: nothing wrong, trace ${result.traceHash}`
        : `${failureText(result)}\nMake it smaller: the same with --shrink`,
    )
  return isClean
}

/** Makes a failing seed smaller, and tells the story of the smallest run found. True when the seed does not fail. */
export async function shrinkSeed(options: Arguments): Promise<boolean> {
  const { range, json, canary } = options
  Error.stackTraceLimit = 0
  const shrunk = await shrinkOne(range.first, options, (result, runs) =>
    console.error(`run ${runs}: ${sizeOf(result)}`),
  )
  if (shrunk === undefined) {
    console.log(json ? '{}' : `seed ${range.first} does not fail: there is nothing to shrink`)
    return true
  }
  const { original, result, runs, story } = shrunk
  const replay = replayArguments(result).join(' ') + (canary ? ' --canary' : '')
  if (json) {
    const { seed, violation, reduction } = result
    const events = { before: original.events, after: result.events }
    console.log(
      JSON.stringify({ seed, violation, reduction, replay, runs, events, story }, null, 2),
    )
    return false
  }
  const lines = story.filter((line) => !line.includes(' heartbeat '))
  console.log(
    [
      ...lines,
      '',
      `seed ${result.seed} violates: ${result.violation?.check}`,
      result.violation?.message ?? '',
      '',
      `${runs} runs made it smaller, from ${sizeOf(original)} to ${sizeOf(result)}.`,
      'See it again:',
      `  pnpm sim ${replay} --trace`,
    ].join('\n'),
  )
  return false
}

function sizeOf({ events, calls, options }: SeedResult): string {
  const { servers, durationMs, onlyActs, workload } = options
  const acts = onlyActs === undefined ? 'all acts' : `${onlyActs.length} acts`
  return (
    `${events} events, ${servers} servers, ${workload.clients} clients with ${calls} calls, ` +
    `${acts}, faults for ${(durationMs / 1000).toFixed(1)} s`
  )
}
