// What a follower looks at in the entries it received: their shape, and the configurations among them.
import {
  type AppendEntriesRequest,
  type EntryBatch,
  type IndexedConfiguration,
  LogType,
  RaftError,
} from '@raftkit/interface'
import { decodeConfiguration, decodeEntry } from '@raftkit/wire'
import type { EntrySpan, TermRun } from '../../consensus/messages.ts'

/** What can be taken up of one AppendEntries. */
export interface EntryLimits {
  readonly maxEntries: number
  readonly maxBytes: number
}

/** The shape of received entries, undefined when there are none. Throws when they are not one consecutive span. */
export function spanOf(request: AppendEntriesRequest, limits: EntryLimits): EntrySpan | undefined {
  const batches = request.entries ?? []
  const first = batches[0]
  if (first === undefined) return undefined
  const runs: TermRun[] = []
  const configurations: IndexedConfiguration[] = []
  let next = first.firstIndex
  let bytes = 0
  for (const batch of batches) {
    if (batch.firstIndex !== next)
      throw refused(`entry ${batch.firstIndex} follows entry ${next - 1}`)
    next = batch.lastIndex + 1
    bytes += batch.byteLength
    addRuns(batch, runs)
    addConfigurations(batch, configurations)
  }
  const count = next - first.firstIndex
  if (count > limits.maxEntries || bytes > limits.maxBytes)
    throw refused(
      `${count} entries of ${bytes} bytes are more than ${limits.maxEntries} entries or ${limits.maxBytes} bytes`,
    )
  return { firstIndex: first.firstIndex, lastIndex: next - 1, runs, configurations }
}

/** Adds the runs of equal term of a batch to those before it. */
export function addRuns(batch: EntryBatch, runs: TermRun[]): void {
  let current = runs.at(-1)?.term
  const { terms, firstIndex } = batch
  for (let position = 0; position < terms.length; position++) {
    const term = terms[position]!
    if (term === current) continue
    current = term
    runs.push({ firstIndex: firstIndex + position, term })
  }
}

/** Adds the configurations of a batch. Throws when one cannot be decoded, or is of a kind no longer written. */
export function addConfigurations(batch: EntryBatch, configurations: IndexedConfiguration[]): void {
  const { types, firstIndex } = batch
  for (let position = 0; position < types.length; position++) {
    const type = types[position]!
    const index = firstIndex + position
    if (type === LogType.configuration)
      configurations.push({
        configuration: decodeConfiguration(decodeEntry(batch, index).data),
        index,
      })
    else if (type === LogType.addPeerDeprecated || type === LogType.removePeerDeprecated)
      throw refused(
        `entry ${index} changes the cluster in the way of hashicorp/raft's protocol 1, which is not supported: ` +
          'bring the cluster to protocol 3 first',
      )
  }
}

function refused(message: string): RaftError {
  return new RaftError('RAFT_DECODE_FAILED', message)
}
