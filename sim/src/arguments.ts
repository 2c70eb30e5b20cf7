import { parseArgs } from 'node:util'
import { PROFILE_NAMES } from '@raftkit/simulator'

/** What the command was asked to do. */
export interface Arguments {
  readonly first: number
  readonly last: number
  readonly profile: string
  readonly servers: number | undefined
  readonly jobs: number | undefined
  readonly trace: boolean
  readonly json: boolean
}

export const USAGE = `pnpm sim --seeds A..B | --seed N [--profile P] [--servers N] [--jobs N] [--trace] [--json]

  --seeds A..B   the seeds to run, on all cores; default: 200 fresh ones
  --seed N       one seed
  --trace        with --seed: prints everything that happens
  --profile P    ${PROFILE_NAMES.join(', ')}; default: default
  --servers N    1 to 7; default: drawn from the seed
  --jobs N       worker processes; default: the number of cores
  --json         a report for programs`

/** Seeds of a run that names none. */
const FRESH_SEEDS = 200

/** Reads the command line. */
export function parseArguments(words: readonly string[]): Arguments | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        seed: { type: 'string' },
        seeds: { type: 'string' },
        profile: { type: 'string', default: 'default' },
        servers: { type: 'string' },
        jobs: { type: 'string' },
        trace: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const { profile, trace, json } = values
    if (!PROFILE_NAMES.includes(profile)) return { problem: `there is no profile '${profile}'` }
    const range = rangeOf(values.seed, values.seeds)
    const servers = wholeNumber('--servers', values.servers, 1, 7)
    const jobs = wholeNumber('--jobs', values.jobs, 1, 1024)
    if (trace && range.first !== range.last) return { problem: '--trace needs one --seed' }
    return { ...range, profile, servers, jobs, trace, json }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function rangeOf(
  seed: string | undefined,
  seeds: string | undefined,
): { readonly first: number; readonly last: number } {
  if (seed !== undefined) {
    const first = wholeNumber('--seed', seed, 0, Number.MAX_SAFE_INTEGER)!
    return { first, last: first }
  }
  if (seeds === undefined) {
    const first = Math.floor(Math.random() * 2 ** 40)
    return { first, last: first + FRESH_SEEDS - 1 }
  }
  const [from, to = from, ...more] = seeds.split('..')
  const first = wholeNumber('--seeds', from, 0, Number.MAX_SAFE_INTEGER)!
  const last = wholeNumber('--seeds', to, first, Number.MAX_SAFE_INTEGER)!
  if (more.length > 0) throw new Error(`--seeds is ${seeds}, it must be A..B`)
  return { first, last }
}

function wholeNumber(
  name: string,
  text: string | undefined,
  least: number,
  most: number,
): number | undefined {
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isSafeInteger(value) && value >= least && value <= most) return value
  throw new Error(`${name} is '${text}', it must be a whole number from ${least} to ${most}`)
}
