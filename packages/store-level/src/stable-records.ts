import type { HardState } from '@raftkit/interface'
import { numberIn, sealFields, textIn, unsealFields } from './record.ts'

/** The records of the stable half: term and vote, and the number of changes to it and to the small values. */
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

export function sealRevision(revision: number): Uint8Array {
  return sealFields(REVISION, { revision })
}

/** The revision in these bytes; throws `DamagedRecord`. */
export function unsealRevision(bytes: Uint8Array): number {
  return numberIn(unsealFields(REVISION, bytes), 'revision')
}
