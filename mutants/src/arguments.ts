import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { catalogue } from './catalogue/catalogue.ts'
import type { Mutant } from './mutant.ts'

/** What the command was asked to do. */
export interface Arguments {
  readonly mutants: readonly Mutant[]
  /** Which part of the catalogue that is, in words; undefined when it is all of it. */
  readonly part: string | undefined
  readonly jobs: number
  /** After this time, seconds, nothing is hunted any more. */
  readonly seconds: number
  readonly json: boolean
}

export const USAGE = `pnpm mutants [--only NAME,...] [--slice N] [--jobs N] [--seconds N] [--json]

  --only NAME,...  these mutants; default: all of them
  --slice N        N mutants, others every day
  --jobs N         hunts at a time; default: the number of cores
  --seconds N      stop after so many seconds, the quickest first; default: no limit
  --json           a report for programs`

const DAY_MS = 24 * 60 * 60 * 1000

/** Reads the command line. `now` chooses the slice, milliseconds since 1970. */
export function parseArguments(
  words: readonly string[],
  now: number,
): Arguments | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        only: { type: 'string' },
        slice: { type: 'string' },
        jobs: { type: 'string' },
        seconds: { type: 'string' },
        json: { type: 'boolean', default: false },
      },
    })
    return {
      ...chosen(values.only, values.slice, now),
      jobs: wholeNumber('--jobs', values.jobs) ?? availableParallelism(),
      seconds: wholeNumber('--seconds', values.seconds) ?? Infinity,
      json: values.json,
    }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

function chosen(
  only: string | undefined,
  slice: string | undefined,
  now: number,
): Pick<Arguments, 'mutants' | 'part'> {
  if (only !== undefined) return { mutants: only.split(',').map(named), part: `only ${only}` }
  const size = wholeNumber('--slice', slice)
  if (size === undefined) return { mutants: catalogue, part: undefined }
  const slices = Math.ceil(catalogue.length / size)
  const place = Math.floor(now / DAY_MS) % slices
  // Every slice has some of each area.
  const mutants = catalogue.filter((_, index) => index % slices === place)
  return { mutants, part: `slice ${place + 1} of ${slices}, by the date` }
}

function named(name: string): Mutant {
  const found = catalogue.find((mutant) => mutant.name === name)
  if (found === undefined) throw new Error(`there is no mutant '${name}'`)
  return found
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const value = text.trim() === '' ? Number.NaN : Number(text)
  if (Number.isSafeInteger(value) && value >= 1) return value
  throw new Error(`${name} is '${text}', it must be a whole number from 1 on`)
}
