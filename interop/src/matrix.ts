import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios.ts'
import type { Family, GoKind, ServerKind } from './server-kind.ts'

/** One run of one scenario. */
export interface Cell {
  readonly shape: string
  readonly kinds: readonly ServerKind[]
  readonly goKind: GoKind
  readonly preVote: boolean
  readonly scenario: Scenario
  readonly variant: Family
}

/** Servers of each library in a cluster. */
const shapes: readonly { readonly go: number; readonly node: number }[] = [
  { go: 1, node: 2 },
  { go: 2, node: 1 },
  { go: 2, node: 3 },
]

/** The name of a run, which `--only` is matched against. */
export function nameOf({ shape, preVote, scenario, variant }: Cell): string {
  return `${shape} pre-vote=${preVote ? 'on' : 'off'} ${scenario.name}:${variant}`
}

/** Every run: shapes, versions of hashicorp/raft, pre-vote on and off, scenarios and their variants. */
export function everyCell(): readonly Cell[] {
  const cells: Cell[] = []
  for (const goKind of ['go', 'go-1.6'] as const)
    for (const preVote of [true, false]) {
      for (const { go, node } of shapes) {
        const kinds = [...times(go, goKind), ...times(node, 'node' as const)]
        const shape = `${go}x${goKind}+${node}xnode`
        for (const scenario of scenarios)
          if (scenario.kinds === undefined)
            for (const variant of scenario.variants)
              cells.push({ shape, kinds, goKind, preVote, scenario, variant })
      }
      for (const scenario of scenarios)
        if (scenario.kinds !== undefined)
          for (const variant of scenario.variants)
            cells.push({
              shape: goKind,
              kinds: scenario.kinds(goKind, variant),
              goKind,
              preVote,
              scenario,
              variant,
            })
    }
  return cells
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
