// `pnpm mutants`: plants known bugs one at a time and says which check or test notices each. Exit code 1 when one is
// not noticed.
import { parseArguments, USAGE, type Arguments } from './arguments.ts'
import { Hunt, type Verdict } from './hunt.ts'
import type { Mutant } from './mutant.ts'
import { isClean, type Run, toJson, toText } from './report.ts'

const parsed = parseArguments(process.argv.slice(2), Date.now())
if ('problem' in parsed) {
  console.error(`${parsed.problem}\n\n${USAGE}`)
  process.exitCode = 2
} else {
  if (parsed.part !== undefined && !parsed.json) console.log(`${parsed.part}\n`)
  const run = await huntAll(parsed)
  console.log(parsed.json ? JSON.stringify(toJson(run), null, 2) : toText(run))
  if (!isClean(run)) process.exitCode = 1
}

async function huntAll({ mutants, part, jobs, seconds, json }: Arguments): Promise<Run> {
  const startedAt = performance.now()
  const elapsed = (): number => (performance.now() - startedAt) / 1000
  const verdicts = new Map<Mutant, Verdict>()
  const waiting = slowestFirst(mutants)
  // With a limit, as many as possible.
  if (seconds < Infinity) waiting.reverse()
  const stop = new AbortController()
  const timer = seconds < Infinity ? setTimeout(() => stop.abort(), 1000 * seconds) : undefined
  const hunt = await Hunt.start(stop.signal)
  const work = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const mutant = waiting.shift()
      if (mutant === undefined) return
      const verdict = await hunt.hunt(mutant)
      if (stop.signal.aborted && verdict.finding.outcome === 'error') {
        waiting.push(mutant)
        return
      }
      verdicts.set(mutant, verdict)
      if (!json) console.error(progressOf(verdict, verdicts.size, mutants.length))
    }
  }
  try {
    await Promise.all(Array.from({ length: jobs }, work))
  } finally {
    clearTimeout(timer)
    await hunt.close()
  }
  const found = mutants.flatMap((mutant) => verdicts.get(mutant) ?? [])
  return { verdicts: found, part, left: waiting.map(({ name }) => name), seconds: elapsed() }
}

/** The longest hunts first, so that no core waits for the last one. */
function slowestFirst(mutants: readonly Mutant[]): Mutant[] {
  const seedsOf = ({ hunters }: Mutant): number =>
    hunters.reduce((sum, hunter) => sum + ('profile' in hunter ? hunter.seeds : 0), 0)
  return mutants.toSorted((a, b) => seedsOf(b) - seedsOf(a))
}

function progressOf(
  { mutant, finding, seeds, seconds }: Verdict,
  done: number,
  all: number,
): string {
  const what = finding.outcome === 'caught' ? `caught by '${finding.by}'` : finding.outcome
  return `${done}/${all} ${mutant.name}: ${what}${seeds > 0 ? ` after ${seeds} seeds` : ''}, ${seconds.toFixed(1)} s`
}
