import type { CheckName } from './checks/violation.ts'
import { reductionArguments } from './shrinking/reduction.ts'
import type { SeedResult } from './world/seed-result.ts'

/** Lines of the story in the message. */
const LINES = 60

/** A seed failed. The message says which check, what was seen, what happened last, and how to see it again. */
export class SimulationError extends Error {
  readonly seed: number
  readonly check: CheckName
  /** The whole result of the seed. */
  readonly result: SeedResult

  constructor(result: SeedResult, check: CheckName) {
    super(failureText(result))
    this.name = 'SimulationError'
    this.seed = result.seed
    this.check = check
    this.result = result
  }
}

/** A failed seed in words: what was seen, the last lines of the story, and how to see it again. */
export function failureText(result: SeedResult, story: readonly string[] = result.story): string {
  const { seed, profile, violation, reduction } = result
  const lines = story.filter((line) => !line.includes(' heartbeat '))
  const cut = Object.keys(reduction).length === 0 ? '' : `, reduction: ${JSON.stringify(reduction)}`
  return [
    `seed ${seed} (profile ${profile}) violates: ${violation?.check}`,
    violation?.message ?? '',
    '',
    'The last things that happened:',
    ...lines.slice(-LINES),
    '',
    `See it again: simulate({ seed: ${seed}, profile: '${profile}'${cut}, ... }), or in this repository`,
    `  pnpm sim ${replayArguments(result).join(' ')} --trace`,
  ].join('\n')
}

/** The arguments of `pnpm sim` that run this again. */
export function replayArguments({ seed, profile, reduction }: SeedResult): readonly string[] {
  const words = ['--seed', String(seed)]
  if (profile !== 'default') words.push('--profile', profile)
  return [...words, ...reductionArguments(reduction)]
}
