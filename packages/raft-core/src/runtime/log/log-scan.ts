// The shape of the log in a store: terms and configurations, read in pieces.
import {
  type EntryBatch,
  type IndexedConfiguration,
  type LogBounds,
  type LogStore,
  RaftError,
} from '@raftkit/interface'
import type { TermRun } from '../../consensus/messages.ts'
import { addConfigurations, addRuns } from './received-entries.ts'

/** Encoded bytes read at a time. */
const CHUNK_BYTES = 1024 * 1024

/** What a log holds, without its commands. */
export interface LogShape {
  readonly runs: readonly TermRun[]
  readonly configurations: readonly IndexedConfiguration[]
}

/** Reads the whole log once; `onBatch` sees every piece in order. Rejects when it has a hole or its terms go down. */
export async function scanLog(
  store: LogStore,
  bounds: LogBounds,
  onBatch: (batch: EntryBatch) => void,
): Promise<LogShape> {
  const runs: TermRun[] = []
  const configurations: IndexedConfiguration[] = []
  const { firstIndex, lastIndex } = bounds
  let next = firstIndex
  while (next > 0 && next <= lastIndex) {
    const batch = await store.read(next, lastIndex, { maxBytes: CHUNK_BYTES })
    if (batch.firstIndex !== next || batch.lastIndex > lastIndex)
      throw corrupt(
        `entry ${next} was asked for, entries ${batch.firstIndex}..${batch.lastIndex} came`,
      )
    addRuns(batch, runs)
    addConfigurations(batch, configurations)
    onBatch(batch)
    next = batch.lastIndex + 1
  }
  for (let position = 1; position < runs.length; position++)
    if (runs[position]!.term < runs[position - 1]!.term)
      throw corrupt(`the term goes down at entry ${runs[position]!.firstIndex}`)
  return { runs, configurations }
}

function corrupt(what: string): RaftError {
  return new RaftError(
    'RAFT_STORE_CORRUPT',
    `the log store is damaged: ${what}. Restore this server from its peers under a new id`,
  )
}
