import { execFileSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { MARKS } from '@raftkit/simulator'
import type { Arguments } from './arguments.ts'
import type { Job } from './messages.ts'
import { REGRESSION_SEEDS } from './regression-seeds.ts'
import { Tally } from './tally.ts'
import { WorkerPool } from './worker-pool.ts'
import { KINDS } from './worlds/kinds.ts'

/** Runs seeds on every core and says what came of them. True when nothing is wrong. */
export async function runSeeds(options: Arguments): Promise<boolean> {
  const { range, profile, reduction, canary, json, patience } = options
  const count = range.last - range.first + 1
  const regressions = options.regressions ? REGRESSION_SEEDS.length : 0
  const workers = Math.min(options.jobs ?? availableParallelism(), count + regressions)
  const isPlain = Object.keys(reduction).length === 0 && !canary
  const tally = new Tally(isPlain ? marksOf(profile) : [])
  const commit = commitOf()
  if (!json) {
    const also = regressions === 0 ? '' : ` and ${regressions} that found bugs`
    console.log(
      `seeds ${range.first}..${range.last}${also}, profile ${profile}, commit ${commit}, ` +
        `Node ${process.version}, worker processes: ${workers}`,
    )
  }
  const jobs = jobsOf(options)
  const pool = new WorkerPool({
    workers,
    nextJob: () => jobs.next().value ?? undefined,
    patienceMs: patience * 1000,
    onSeed: (message) => {
      tally.add(message)
      if (!json && message.failure !== undefined) console.log(`\n${message.failure.text}\n`)
    },
    onBroken: (broken) => tally.addBroken(broken),
  })
  await pool.run()
  const { first, last } = range
  const run = { first, last, regressions, profile, reduction, commit, node: process.version }
  console.log(json ? JSON.stringify({ ...run, ...tally.report() }, null, 2) : tally.summary())
  return tally.isClean
}

/** Marks that plain seeds of a profile must reach: the default profile has something of everything. */
function marksOf(profile: string): readonly string[] {
  return profile === 'default' ? MARKS : (KINDS[profile]?.marks ?? [])
}

function* jobsOf(options: Arguments): Generator<Job, undefined, undefined> {
  const { range, profile, reduction, canary } = options
  if (options.regressions)
    for (const regression of REGRESSION_SEEDS) yield { reduction: {}, ...regression, canary: false }
  for (let seed = range.first; seed <= range.last; seed++)
    yield { seed, profile, reduction, canary }
}

/** What was run: a seed means something only together with it. */
function commitOf(): string {
  try {
    const words = ['describe', '--always', '--dirty']
    return execFileSync('git', words, { encoding: 'utf8', stdio: 'pipe' }).trim()
  } catch {
    return 'unknown'
  }
}
