import { parseArgs } from 'node:util'
import { FAULT_CLASSES, type FaultClass, type Reduction } from '@raftkit/simulator'
import { WORLD_NAMES } from './worlds/kinds.ts'

/** Seeds from the first to the last. */
export interface SeedRange {
  readonly first: number
  readonly last: number
}

/** What the command was asked to do. */
export interface Arguments {
  readonly mode: 'run' | 'trace' | 'shrink' | 'help'
  readonly range: SeedRange
  /** Runs every seed that ever found a bug too. */
  readonly regressions: boolean
  readonly profile: string
  readonly reduction: Reduction
  readonly jobs: number | undefined
  /** Runs that shrinking may make. */
  readonly maxRuns: number
  readonly json: boolean
  /** Runs a state machine with a planted bug. */
  readonly canary: boolean
  /** A seed that takes longer is given up, seconds of real time. */
  readonly patience: number
}

export const USAGE = `pnpm sim [--seeds A..B | --seed N | --fresh N] [options]

Runs whole clusters under faults on virtual time, one per seed, and checks everything that Raft promises.

Which seeds
  --fresh N        N seeds that nobody ran before, from the clock (default: --fresh 200)
  --seeds A..B     the seeds from A to B
  --seed N         one seed
  --regressions    the seeds that ever found a bug too

One seed
  --trace          tells everything that happens
  --shrink         if it fails, looks for the smallest part of it that fails the same check
  --max-runs N     with --shrink: tries so many parts at most; default: 1000

What runs
  --profile P      ${wrapped(WORLD_NAMES, 58)}
  --servers N      1 to 7; default: drawn from the seed
  --without LIST   without these faults, separated by commas: ${wrapped(FAULT_CLASSES, 52)}
  --acts LIST      only these acts of nemeses, by number, or 'none'
  --until MS       faults and clients end then, in simulated milliseconds
  --clients N      at most so many clients
  --calls N        at most so many calls of clients
  --variant N      another course of events in the same world
  --canary         a state machine with a planted bug: must fail

How
  --jobs N         worker processes; default: the number of cores
  --patience S     gives up a seed after so many seconds of real time; default: 300
  --json           a report for programs, described in sim/README.md

Exit code: 0 nothing wrong, 1 something was found or could not be run, 2 wrong arguments.`

const OPTIONS = {
  fresh: { type: 'string' },
  seed: { type: 'string' },
  seeds: { type: 'string' },
  regressions: { type: 'boolean', default: false },
  trace: { type: 'boolean', default: false },
  shrink: { type: 'boolean', default: false },
  profile: { type: 'string', default: 'default' },
  servers: { type: 'string' },
  without: { type: 'string' },
  acts: { type: 'string' },
  until: { type: 'string' },
  clients: { type: 'string' },
  calls: { type: 'string' },
  variant: { type: 'string' },
  canary: { type: 'boolean', default: false },
  jobs: { type: 'string' },
  'max-runs': { type: 'string', default: '1000' },
  patience: { type: 'string', default: '300' },
  json: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

type Values = ReturnType<typeof parseValues>

/** Seeds of a run that names none. */
const FRESH_SEEDS = 200

/** The most seeds of one run. */
const MOST_SEEDS = 10_000_000

/** Reads the command line; `now` is where fresh seeds begin. */
export function parseArguments(
  words: readonly string[],
  now: number = Date.now(),
): Arguments | { readonly problem: string } {
  try {
    const values = parseValues(words)
    const { profile, regressions, json, canary, trace, shrink } = values
    if (!WORLD_NAMES.includes(profile))
      throw new Error(`there is no profile '${profile}': choose one of ${WORLD_NAMES.join(', ')}`)
    const range = rangeOf(values, now)
    const isOne = range.first === range.last && !regressions
    if (trace && shrink) throw new Error('--trace and --shrink are two things: choose one')
    if (trace && !isOne) throw new Error('--trace needs one --seed')
    if (shrink && !isOne) throw new Error('--shrink needs one --seed')
    return {
      mode: values.help ? 'help' : trace ? 'trace' : shrink ? 'shrink' : 'run',
      range,
      regressions,
      profile,
      reduction: reductionOf(values),
      jobs: wholeNumber('--jobs', values.jobs, 1, 1024),
      maxRuns: wholeNumber('--max-runs', values['max-runs'], 1, 1_000_000),
      json,
      canary,
      patience: wholeNumber('--patience', values.patience, 1, 86_400),
    }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function parseValues(words: readonly string[]) {
  return parseArgs({ args: [...words], options: OPTIONS }).values
}

function rangeOf({ seed, seeds, fresh }: Values, now: number): SeedRange {
  const named = [seed, seeds, fresh].filter((value) => value !== undefined)
  if (named.length > 1) throw new Error('--seed, --seeds and --fresh exclude each other')
  const most = Number.MAX_SAFE_INTEGER
  if (seed !== undefined) {
    const first = wholeNumber('--seed', seed, 0, most)
    return { first, last: first }
  }
  if (seeds === undefined) {
    const count = wholeNumber('--fresh', fresh ?? String(FRESH_SEEDS), 1, MOST_SEEDS)
    return { first: now, last: now + count - 1 }
  }
  const [from = '', to, ...more] = seeds.split('..')
  if (to === undefined || more.length > 0)
    throw new Error(`--seeds is '${seeds}', it must be A..B, as 1..500`)
  const first = wholeNumber('--seeds', from, 0, most)
  const last = wholeNumber('--seeds', to, first, Math.min(most, first + MOST_SEEDS - 1))
  return { first, last }
}

function reductionOf(values: Values): Reduction {
  const servers = wholeNumber('--servers', values.servers, 1, 7)
  const untilMs = wholeNumber('--until', values.until, 0, 86_400_000)
  const clients = wholeNumber('--clients', values.clients, 0, 1000)
  const calls = wholeNumber('--calls', values.calls, 0, Number.MAX_SAFE_INTEGER)
  const variant = wholeNumber('--variant', values.variant, 0, Number.MAX_SAFE_INTEGER)
  const without = classesOf(values.without)
  const acts = actsOf(values.acts)
  return {
    ...(servers === undefined ? {} : { servers }),
    ...(without === undefined ? {} : { without }),
    ...(acts === undefined ? {} : { acts }),
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(clients === undefined ? {} : { clients }),
    ...(calls === undefined ? {} : { calls }),
    ...(variant === undefined ? {} : { variant }),
  }
}

function classesOf(list: string | undefined): readonly FaultClass[] | undefined {
  return list?.split(',').map((word) => {
    const found = FAULT_CLASSES.find((name) => name === word.trim())
    if (found !== undefined) return found
    throw new Error(`--without has '${word}': choose from ${FAULT_CLASSES.join(', ')}`)
  })
}

function actsOf(list: string | undefined): readonly number[] | undefined {
  if (list === 'none') return []
  return list?.split(',').map((word) => wholeNumber('--acts', word, 1, Number.MAX_SAFE_INTEGER))
}

function wholeNumber(name: string, text: string, least: number, most: number): number
function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined
function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new Error(`${name} is '${text}', it must be a whole number from ${least} to ${most}`)
}

/** Words separated by commas, on lines that go on below the first. */
function wrapped(words: readonly string[], width: number): string {
  const lines = ['']
  for (const word of words) {
    if (lines.at(-1)!.length + word.length > width) lines.push('')
    lines[lines.length - 1] += `${word},`
  }
  return lines.join('\n                   ').slice(0, -1)
}
