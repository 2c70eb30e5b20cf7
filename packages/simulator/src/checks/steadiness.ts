import type { ServerId, Term } from '@raftkit/interface'
import type { Violate } from './violation.ts'

/** Who leads, and in which term. */
export interface Reign {
  readonly id: ServerId
  readonly term: Term
}

/**
 * A leader that a well-connected quorum hears stays: a server that hears it badly, or not at all, must not depose it
 * (dissertation §9.6). Holds when nothing new goes wrong, and all servers ask for pre-votes and are equally patient.
 */
export function checkSteadiness(
  violate: Violate,
  before: Reign | undefined,
  after: Reign | undefined,
): void {
  if (before === undefined || (before.id === after?.id && before.term === after.term)) return
  const end = after === undefined ? 'then nobody did' : `then ${after.id} in term ${after.term}`
  violate('steady leadership', `${before.id} led in term ${before.term} without need to go, ${end}`)
}
