// The end of a server that cannot go on: nothing that it decided in the failed step leaves, and everyone who waits
// is told.
import type { ConsensusEvent } from './events.ts'
import { answerError } from './state/outgoing.ts'
import { stop } from './election/roles.ts'
import type { State } from './state/state.ts'

/** Stops after an error in a step. The effects of that step are dropped: they may rest on what is wrong. */
export function fail(state: State, event: ConsensusEvent, error: unknown): void {
  const message = error instanceof Error ? error.message : String(error)
  state.effects = []
  stop(state, message)
  refuseWhenStopped(state, event)
  state.effects.push({ type: 'fatal', message })
}

/** The answer of a stopped server to whoever waits for one. */
export function refuseWhenStopped(state: State, event: ConsensusEvent): void {
  const { effects } = state
  switch (event.type) {
    case 'received':
      answerError(state, event.requestId, 'this server has stopped')
      break
    case 'proposed':
      effects.push({ type: 'proposals-refused', count: event.count, reason: 'stopped' })
      break
    case 'read-requested':
      effects.push({ type: 'read-refused', readId: event.readId, reason: 'stopped' })
      break
    case 'transfer-requested':
      effects.push({ type: 'transfer-ended', transferId: event.transferId, refusal: 'stopped' })
      break
    case 'change-requested':
      effects.push({
        type: 'change-refused',
        changeId: event.changeId,
        reason: 'stopped',
        isAppended: false,
        index: state.membership.latest.index,
      })
      break
    case 'restore-requested': {
      const { restoreId } = event
      effects.push({ type: 'restore-ended', restoreId, refusal: 'stopped', hasBegun: false })
      break
    }
    case 'bootstrap-requested': {
      const { bootstrapId } = event
      effects.push({ type: 'bootstrap-ended', bootstrapId, refusal: 'stopped' })
      break
    }
    default:
  }
}
