import type { HardState } from '@raftkit/interface'
import { checksumIn, numberIn, sealFields, textIn, unsealFields } from '../database/record.ts'

/** The records of the stable half: term and vote, and how often it has changed. */
const HARD_STATE = 'hard-state'
const REVISION = 'revision'

/** Term and vote as one record. */
export function sealHardState({ term, votedFor }: HardState): Uint8Array {
  return sealFields(
    HARD_STATE,
    votedFor === undefined
      ? { term }
      : { term, voteId: votedFor.id, voteAddress: votedFor.address },
  )
}

/** The term and vote in these bytes; throws `DamagedRecord`. */
export function unsealHardState(bytes: Uint8Array): HardState {
  const fields = unsealFields(HARD_STATE, bytes)
  const term = numberIn(fields, 'term')
  if (fields['voteId'] === undefined) return { term }
  return {
    term,
    votedFor: { id: textIn(fields, 'voteId'), address: textIn(fields, 'voteAddress') },
  }
}

/** What the stable half of a store has come to. */
export interface Revision {
  /** How often term, vote and small values have changed; making the store counts as one. */
  readonly revision: number
  /** The checksums of all small values, exclusive-or: shows when one is missing. */
  readonly valuesChecksum: number
}

export function sealRevision({ revision, valuesChecksum }: Revision): Uint8Array {
  return sealFields(REVISION, { revision, valuesChecksum })
}

/** The revision in these bytes; throws `DamagedRecord`. */
export function unsealRevision(bytes: Uint8Array): Revision {
  const fields = unsealFields(REVISION, bytes)
  return {
    revision: numberIn(fields, 'revision'),
    valuesChecksum: numberIn(fields, 'valuesChecksum'),
  }
}

/** The checksum of all values when one of them, found in `before`, is replaced by `after`. */
export function replaceChecksum(
  all: number,
  before: Uint8Array | undefined,
  after: Uint8Array,
): number {
  const without = before === undefined ? all : all ^ checksumIn(before)
  return (without ^ checksumIn(after)) >>> 0
}
