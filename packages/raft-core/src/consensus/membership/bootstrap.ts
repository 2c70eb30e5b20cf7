// The first configuration of a new cluster, given to a server that runs already.
import type { Configuration } from '@raftkit/interface/protocol'
import { configurationChanged } from '../replication/commitment.ts'
import type { BootstrapRefusal } from '../effects.ts'
import { durablePoint, saveHardState } from '../state/hard-state.ts'
import { isVoter } from '../configuration/quorum.ts'
import type { State } from '../state/state.ts'

/** The term of the first entry. Nobody campaigns in it: the first leader has a higher one. */
const FIRST_TERM = 1

/** Writes the configuration as entry 1 of term 1. It is in force at once and told when it is durable. */
export function requestBootstrap(
  state: State,
  bootstrapId: number,
  configuration: Configuration,
): void {
  const refusal = refusalOf(state, configuration)
  if (refusal !== undefined) {
    state.effects.push({ type: 'bootstrap-ended', bootstrapId, refusal })
    return
  }
  // Before the entry is: a log beyond the saved term would look like a lost vote at the next start.
  saveHardState(state, { term: FIRST_TERM })
  const point = { index: 1, term: FIRST_TERM }
  state.log.append(1, FIRST_TERM)
  state.effects.push({ type: 'append-configuration', ...point, configuration, changeId: 0 })
  state.membership.append([{ configuration, index: 1 }], 1)
  configurationChanged(state)
  const after = durablePoint(state, point)
  state.effects.push(
    after === undefined
      ? { type: 'bootstrap-ended', bootstrapId }
      : { type: 'bootstrap-ended', bootstrapId, after },
  )
}

function refusalOf(state: State, { servers }: Configuration): BootstrapRefusal | undefined {
  if (!isNew(state)) return 'has-state'
  return servers.some((server) => server.id === state.self.id && isVoter(server))
    ? undefined
    : 'not-voter'
}

/**
 * True for a server that has nothing to remember. The first term without a vote and without an entry is what a crash
 * in the middle of a bootstrap leaves: no leader and no candidate ever has that term.
 */
function isNew({ role, hardState, log, installation }: State): boolean {
  const { term, votedFor } = hardState
  return (
    role === 'follower' &&
    installation === undefined &&
    log.lastIndex === 0 &&
    (term === 0 || (term === FIRST_TERM && votedFor === undefined))
  )
}
