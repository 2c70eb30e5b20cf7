import type { Cluster } from './cluster.ts'
import type { ServerConfig } from './protocol.ts'
import type { Family, GoKind, ServerKind } from './server-kind.ts'
import type { Workload } from './workload.ts'

/** What a scenario works with. */
export interface Stage {
  readonly cluster: Cluster
  readonly workload: Workload
  /** What a Go server runs in this run. */
  readonly goKind: GoKind
  /** Adds a number to the report. */
  readonly note: (name: string, value: number) => void
}

/** Who asks before campaigning: all, none, or only the servers of the variant's family. */
export type PreVote = 'on' | 'off' | 'mixed'

/** Something that a cluster of both kinds must come through. What is checked after each: see agreement.ts. */
export interface Scenario {
  readonly name: string
  /** Run once for each of these; the scenario knows what it stands for. */
  readonly variants: readonly Family[]
  /** The servers, where they are not those of the cluster shape. Such a scenario runs once, not for each shape. */
  readonly kinds?: (go: Exclude<ServerKind, 'node'>, variant: Family) => readonly ServerKind[]
  /** Default: on and off. */
  readonly preVotes?: readonly PreVote[]
  /** Options that differ from the default. */
  readonly config?: (kind: ServerKind, variant: Family) => ServerConfig
  readonly run: (stage: Stage, variant: Family) => Promise<void>
}

/** The other library. */
export function otherFamily(family: Family): Family {
  return family === 'go' ? 'node' : 'go'
}
