import type { HardState } from '@raftkit/interface'
import { numberIn, sealFields, textIn, unsealFields } from './record.ts'

const NAME = 'hard-state'

/** Term and vote as one record. */
export function sealHardState({ term, votedFor }: HardState): Uint8Array {
  return sealFields(
    NAME,
    votedFor === undefined
      ? { term }
      : { term, voteId: votedFor.id, voteAddress: votedFor.address },
  )
}

/** The term and vote in these bytes; throws `DamagedRecord`. */
export function unsealHardState(bytes: Uint8Array): HardState {
  const fields = unsealFields(NAME, bytes)
  const term = numberIn(fields, 'term')
  if (fields['voteId'] === undefined) return { term }
  return {
    term,
    votedFor: { id: textIn(fields, 'voteId'), address: textIn(fields, 'voteAddress') },
  }
}
