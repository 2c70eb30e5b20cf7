// What a planted bug is, and who hunts it.

/** One place of the product that a mutant changes. */
export interface Edit {
  /** From the root of the repository. */
  readonly file: string
  /** Occurs exactly once in the file. */
  readonly find: string
  readonly replace: string
}

/** Seeds 1 to `seeds` of a profile of the simulator. */
export interface SimulatorHunter {
  readonly profile: string
  readonly seeds: number
}

/** One file of tests of a package. */
export interface TestHunter {
  /** Folder under `packages/`. */
  readonly project: string
  /** From the folder of the package. */
  readonly test: string
}

/** Who looks for a mutant. */
export type Hunter = SimulatorHunter | TestHunter

/** A known bug that is planted, alone, to see that something notices it. */
export interface Mutant {
  readonly name: string
  /** What the server does wrong now. */
  readonly broken: string
  /** Where this bug was seen, or the rule that it breaks. */
  readonly source: string
  /** More than one where several layers each would prevent the harm. */
  readonly edits: readonly Edit[]
  /** In this order, until one of them has caught it. */
  readonly hunters: readonly Hunter[]
}

/** The simulator looks at `seeds` seeds of its ordinary mix. */
export function ordinary(seeds: number): SimulatorHunter {
  return { profile: 'default', seeds }
}

/** The simulator looks at `seeds` seeds of one kind of trouble. */
export function targeted(profile: string, seeds: number): SimulatorHunter {
  return { profile, seeds }
}

/** A package's test file looks. */
export function tested(project: string, test: string): TestHunter {
  return { project, test }
}

/** A hunter in words. */
export function nameOf(hunter: Hunter): string {
  return 'profile' in hunter
    ? `simulator, profile ${hunter.profile}, seeds 1..${hunter.seeds}`
    : `packages/${hunter.project}/${hunter.test}`
}
