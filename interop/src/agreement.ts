import type { Cluster } from './cluster.ts'
import type { ClusterServer } from './cluster-server.ts'
import type { Ledger } from './ledger.ts'
import type { Status } from './protocol.ts'
import { until } from './waiting.ts'

/** Entries that are fetched and compared at a time. */
const PAGE = 2000

/** What a run left behind, after all servers were found to agree. */
export interface Agreement {
  /** Index up to which everything is committed and applied everywhere. */
  readonly index: number
  /** Indexes at which at least two servers still had the entry, all of them alike. */
  readonly comparedEntries: number
}

/**
 * Waits until all servers have applied the same, then checks: the states are equal, every acknowledged write is
 * there and nothing that nobody wrote, and the logs agree byte for byte wherever two servers still have the entry.
 */
export async function checkAgreement(cluster: Cluster, ledger: Ledger): Promise<Agreement> {
  const servers = cluster.up
  const statuses = await until('all servers to have applied the same', () => settled(servers))
  const state = await servers[0]!.call('state')
  const lost = ledger.lostIn(state)
  if (lost.length > 0) throw new LostWrites(lost)
  const invented = ledger.inventedIn(state)
  if (invented.length > 0) throw new Error(`keys that nobody wrote: ${invented.join(', ')}`)
  const index = statuses[0]!.commitIndex
  return { index, comparedEntries: await compareLogs(servers, index) }
}

/** Acknowledged writes that are not there. */
export class LostWrites extends Error {
  readonly keys: readonly string[]

  constructor(keys: readonly string[]) {
    super(`${keys.length} acknowledged writes are lost: ${keys.slice(0, 10).join(', ')}`)
    this.name = 'LostWrites'
    this.keys = keys
  }
}

async function settled(servers: readonly ClusterServer[]): Promise<readonly Status[] | undefined> {
  const statuses = await Promise.all(servers.map((server) => server.status()))
  const [first] = statuses
  const isSettled = statuses.every(
    (status) =>
      status.lastIndex === first!.lastIndex &&
      status.commitIndex === status.lastIndex &&
      status.digest.index === first!.digest.index &&
      status.digest.sha256 === first!.digest.sha256,
  )
  return isSettled ? statuses : undefined
}

async function compareLogs(servers: readonly ClusterServer[], last: number): Promise<number> {
  let compared = 0
  for (let from = 1; from <= last; from += PAGE) {
    const to = Math.min(last, from + PAGE - 1)
    const slices = await Promise.all(servers.map((server) => server.call('log', { from, to })))
    for (let index = from; index <= to; index += 1) {
      const found = slices
        .map(({ firstIndex, entries }, i) => ({
          id: servers[i]!.id,
          entry: entries[index - firstIndex],
        }))
        .filter(({ entry }) => entry !== undefined && entry !== '')
      const different = found.find(({ entry }) => entry !== found[0]!.entry)
      if (different !== undefined)
        throw new Error(
          `entry ${index} differs: ${found[0]!.id} has ${found[0]!.entry}, ${different.id} has ${different.entry}`,
        )
      if (found.length > 1) compared += 1
    }
  }
  return compared
}
