import type { PreVote, Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import type { Family, GoKind, ServerKind } from './server-kind.ts'

/** One run of one scenario. */
export interface Cell {
  readonly shape: string
  readonly kinds: readonly ServerKind[]
  readonly goKind: GoKind
  readonly preVote: PreVote
  readonly scenario: Scenario
  readonly variant: Family
}

/** Servers of each library in a cluster. */
const shapes: readonly { readonly go: number; readonly node: number }[] = [
  { go: 1, node: 2 },
  { go: 2, node: 1 },
  { go: 2, node: 3 },
]

const goKinds: readonly GoKind[] = ['go', 'go-1.6']

/** The name of a run, which `--only` is matched against. */
export function nameOf({ shape, preVote, scenario, variant }: Cell): string {
  return `${shape} pre-vote=${preVote} ${scenario.name}:${variant}`
}

/** Every run: scenarios and their variants, versions of hashicorp/raft, pre-vote, cluster shapes. */
export function everyCell(): readonly Cell[] {
  return scenarios.flatMap((scenario) =>
    scenario.variants.flatMap((variant) =>
      goKinds.flatMap((goKind) =>
        (scenario.preVotes ?? ['on', 'off']).flatMap((preVote) =>
          clustersFor(scenario, goKind, variant).map((cluster) => ({
            ...cluster,
            goKind,
            preVote,
            scenario,
            variant,
          })),
        ),
      ),
    ),
  )
}

function clustersFor(
  scenario: Scenario,
  goKind: GoKind,
  variant: Family,
): readonly Pick<Cell, 'shape' | 'kinds'>[] {
  if (scenario.kinds !== undefined)
    return [{ shape: goKind, kinds: scenario.kinds(goKind, variant) }]
  return shapes.map(({ go, node }) => ({
    shape: `${go}x${goKind}+${node}xnode`,
    kinds: [...times(go, goKind), ...times(node, 'node' as const)],
  }))
}

/**
 * A part of the matrix that shows most in a short time: each scenario once, with shapes, versions and pre-vote taking
 * turns.
 */
export function shortSlice(cells: readonly Cell[]): readonly Cell[] {
  const slice: Cell[] = []
  for (const [i, scenario] of scenarios.entries()) {
    const own = cells.filter((cell) => cell.scenario === scenario)
    const picked = own[(i * 7) % own.length]
    if (picked !== undefined) slice.push(picked)
  }
  return slice
}

function times<T>(count: number, value: T): readonly T[] {
  return Array.from({ length: count }, () => value)
}
