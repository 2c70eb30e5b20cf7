import { RaftError, type Outcome } from '@raftkit/interface'

/** The same error for a caller of whose command something else is known. */
export function withOutcome(error: RaftError, outcome: Outcome, retryable = false): RaftError {
  return new RaftError(error.code, error.message, {
    outcome,
    retryable,
    cause: error.cause ?? error,
    details: error.details,
  })
}
