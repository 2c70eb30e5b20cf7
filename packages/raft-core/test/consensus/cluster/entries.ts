// Entries and what follows from them: addresses, shapes, configurations, states.
import type { Configuration, IndexedConfiguration, ServerId } from '@raftkit/interface/protocol'
import type { EntrySpan, TermRun } from '@raftkit/raft-core/consensus'
import type { MachineState, SimulatedDisk, SimulatedEntry } from './simulated-disk.ts'

/** The address of a simulated server. */
export function addressOf(id: ServerId): string {
  return `${id}:1`
}

/** The shape of `entries`; undefined for none. */
export function spanOf(entries: readonly SimulatedEntry[]): EntrySpan | undefined {
  const first = entries[0]
  if (first === undefined) return undefined
  const configurations: IndexedConfiguration[] = []
  for (const { configuration } of entries)
    if (configuration !== undefined) configurations.push(configuration)
  return {
    firstIndex: first.index,
    lastIndex: entries.at(-1)!.index,
    runs: runsOf(entries),
    configurations,
  }
}

/** The state after one more entry. */
export function applyEntry(state: MachineState, entry: SimulatedEntry): MachineState {
  const { index, term, value } = entry
  const digest = `${digestOf(`${state.digest}|${index}|${term}|${value}`)}`
  return { index, term, digest, configuration: entry.configuration ?? state.configuration }
}

/** A configuration of voters n1, n2 … with the nonvoters given. */
export function configurationOf(
  voters: readonly ServerId[],
  nonvoters: readonly ServerId[] = [],
): Configuration {
  return {
    servers: [
      ...voters.map((id) => ({ suffrage: 'voter', id, address: addressOf(id) }) as const),
      ...nonvoters.map((id) => ({ suffrage: 'nonvoter', id, address: addressOf(id) }) as const),
    ],
  }
}

/** Runs of equal term. */
export function runsOf(entries: readonly SimulatedEntry[]): TermRun[] {
  const runs: TermRun[] = []
  for (const { index, term } of entries)
    if (runs.at(-1)?.term !== term) runs.push({ firstIndex: index, term })
  return runs
}

/** The configurations that a disk holds, oldest first. */
export function configurationsOf(disk: SimulatedDisk): IndexedConfiguration[] {
  const base = disk.snapshot.configuration
  const known: IndexedConfiguration[] = base.index > 0 ? [base] : []
  for (const { configuration } of disk.entries.values())
    if (configuration !== undefined && configuration.index !== base.index) known.push(configuration)
  return known.toSorted((a, b) => a.index - b.index)
}

function digestOf(text: string): number {
  let hash = 2_166_136_261
  for (let place = 0; place < text.length; place++)
    hash = Math.imul(hash ^ text.charCodeAt(place), 16_777_619)
  return hash >>> 0
}
