import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { messageOf } from '@raftkit/interface'
import { type Agreement, checkAgreement, LostWrites } from './agreement.ts'
import { Cluster } from './cluster.ts'
import { type Cell, nameOf } from './matrix.ts'
import type { ServerConfig } from './protocol.ts'
import { familyOf, type ServerKind } from './server-kind.ts'
import { Workload } from './workload.ts'

/** How one run went. */
export interface CellResult {
  readonly name: string
  readonly passed: boolean
  /** Why it failed. */
  readonly error?: string
  /** Where the servers' logs and data are, when they were kept. */
  readonly directory?: string
  readonly acknowledged: number
  readonly unknown: number
  readonly lost: number
  readonly comparedEntries: number
  readonly elapsedMs: number
  readonly notes: Readonly<Record<string, number>>
}

/** Runs one scenario on a cluster of its own and checks what it leaves behind. Never rejects. */
export async function runCell(cell: Cell, keep = false): Promise<CellResult> {
  const directory = await mkdtemp(join(tmpdir(), 'raftkit-interop-'))
  const started = performance.now()
  const notes: Record<string, number> = {}
  let workload: Workload | undefined
  let agreement: Agreement | undefined
  let failure: unknown
  try {
    const { scenario, variant, preVote, kinds, goKind } = cell
    const config = (kind: ServerKind): ServerConfig => ({
      preVote: preVote === 'mixed' ? familyOf(kind) === variant : preVote === 'on',
      ...scenario.config?.(kind, variant),
    })
    const cluster = await Cluster.start({ kinds, directory, config })
    try {
      workload = new Workload(cluster)
      const note = (name: string, value: number): void => void (notes[name] = Math.round(value))
      await scenario.run({ cluster, workload, goKind, note }, variant)
      agreement = await checkAgreement(cluster, workload.ledger)
    } finally {
      await cluster.kill()
    }
  } catch (error) {
    failure = error
  }
  const isKept = keep && failure !== undefined
  if (!isKept) await rm(directory, { recursive: true, force: true })
  return {
    name: nameOf(cell),
    passed: failure === undefined,
    ...(failure !== undefined && { error: messageOf(failure) }),
    ...(isKept && { directory }),
    acknowledged: workload?.ledger.acknowledged ?? 0,
    unknown: workload?.ledger.unknown ?? 0,
    lost: failure instanceof LostWrites ? failure.keys.length : 0,
    comparedEntries: agreement?.comparedEntries ?? 0,
    elapsedMs: Math.round(performance.now() - started),
    notes,
  }
}
