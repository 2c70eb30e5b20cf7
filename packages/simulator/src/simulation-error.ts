import type { CheckName } from './checks/violation.ts'
import type { SeedResult } from './world/seed-run.ts'

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

/** A failed seed in words. */
export function failureText({ seed, profile, violation, story }: SeedResult): string {
  return [
    `seed ${seed} (profile ${profile}) violates: ${violation?.check}`,
    violation?.message ?? '',
    '',
    'The last things that happened:',
    ...story.filter((line) => !line.includes(' heartbeat ')).slice(-LINES),
    '',
    `See it again: simulate({ seed: ${seed}, profile: '${profile}', ... }), or in this repository`,
    `  pnpm sim --seed ${seed}${profile === 'default' ? '' : ` --profile ${profile}`} --trace`,
  ].join('\n')
}
