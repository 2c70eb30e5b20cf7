// The hunt for one mutant, and the proof that its hunter is silent without it.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleSimulatorHunt } from './bundle.ts'
import type { Finding } from './hunt-messages.ts'
import { runHunt, type HuntResult } from './hunt-process.ts'
import {
  type Hunter,
  type Mutant,
  nameOf,
  type SimulatorHunter,
  type TestHunter,
} from './mutant.ts'
import { mutatedSources } from './mutated-source.ts'

/** What came of the hunt for one mutant. */
export interface Verdict {
  readonly mutant: Mutant
  readonly finding: Finding
  /** The hunter that has caught it, or that was the last to look. */
  readonly hunter: Hunter
  /** Seeds that this hunter needed; 0 when it is a test. */
  readonly seeds: number
  readonly seconds: number
}

const TEST_HUNT = fileURLToPath(new URL('test-hunt.ts', import.meta.url))

/** Hunts mutants. What it makes is in a folder of its own under the system's for temporary files. */
export class Hunt {
  readonly #folder: string
  readonly #signal: AbortSignal
  readonly #baselines = new Map<string, Promise<Finding>>()

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder
    this.#signal = signal
  }

  /** What is still hunted when `signal` aborts ends with an error. */
  static async start(signal: AbortSignal = new AbortController().signal): Promise<Hunt> {
    const folder = await mkdtemp(join(tmpdir(), 'raftkit-mutants-'))
    await bundleSimulatorHunt(join(folder, 'unmutated.mjs'), mutatedSources(undefined))
    return new Hunt(folder, signal)
  }

  close(): Promise<void> {
    return rm(this.#folder, { recursive: true, force: true })
  }

  /** Lets every hunter of a mutant look, until one has caught it. */
  async hunt(mutant: Mutant): Promise<Verdict> {
    const startedAt = performance.now()
    let last: { hunter: Hunter; finding: Finding; looks: number } | undefined
    for (const hunter of mutant.hunters) {
      const { finding, looks } = await this.#look(mutant, hunter)
      last = { hunter, finding, looks }
      if (finding.outcome !== 'survived') break
    }
    if (last === undefined) throw new Error(`${mutant.name} has no hunter`)
    const { hunter, finding, looks } = last
    const baseline =
      finding.outcome === 'caught'
        ? await this.#baseline(hunter, looks)
        : { outcome: 'survived' as const }
    return {
      mutant,
      finding: baseline.outcome === 'survived' ? finding : falseAlarm(hunter, baseline),
      hunter,
      seeds: 'profile' in hunter ? looks : 0,
      seconds: (performance.now() - startedAt) / 1000,
    }
  }

  async #look(mutant: Mutant, hunter: Hunter): Promise<HuntResult> {
    if (!('profile' in hunter)) return this.#runTests(hunter, mutant.name)
    const path = join(this.#folder, `${mutant.name}.mjs`)
    try {
      await bundleSimulatorHunt(path, mutatedSources(mutant))
    } catch (error) {
      return { finding: { outcome: 'error', message: String(error) }, looks: 0 }
    }
    return this.#runSeeds(path, hunter, 1, hunter.seeds)
  }

  /** The same seed, or the same tests, on the product as it is. */
  #baseline(hunter: Hunter, seed: number): Promise<Finding> {
    const key = 'profile' in hunter ? `${hunter.profile} ${seed}` : nameOf(hunter)
    const known = this.#baselines.get(key)
    if (known !== undefined) return known
    const result =
      'profile' in hunter
        ? this.#runSeeds(join(this.#folder, 'unmutated.mjs'), hunter, seed, seed)
        : this.#runTests(hunter, '')
    const finding = result.then((baseline) => baseline.finding)
    this.#baselines.set(key, finding)
    return finding
  }

  #runSeeds(
    path: string,
    { profile }: SimulatorHunter,
    first: number,
    last: number,
  ): Promise<HuntResult> {
    const words = [profile, String(first), String(last)]
    const expected = last - first + 1
    return runHunt({ path, words, execArgv: [], expected, signal: this.#signal })
  }

  #runTests({ project, test }: TestHunter, name: string): Promise<HuntResult> {
    const { execArgv } = process
    const words = [project, name, test]
    return runHunt({ path: TEST_HUNT, words, execArgv, expected: 1, signal: this.#signal })
  }
}

function falseAlarm(hunter: Hunter, baseline: Finding): Finding {
  const what = baseline.outcome === 'survived' ? '' : baseline.message
  return {
    outcome: 'error',
    message: `the hunter finds fault with the product as it is (${nameOf(hunter)}): ${what}`,
  }
}
