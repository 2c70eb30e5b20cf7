import type { Outcome, RaftErrorCode } from './codes.ts'

const brand: unique symbol = Symbol.for('@raftkit/RaftError') as never

/** Facts of an error beside its message. */
export interface RaftErrorOptions {
  /** Whether the same call may succeed later without any change. Default false. */
  readonly retryable?: boolean
  /** For errors of commands: what is known of the command. */
  readonly outcome?: Outcome
  readonly cause?: unknown
  /** Further fields for programs and logs: leader, path, index, limit … */
  readonly details?: Readonly<Record<string, unknown>>
}

/**
 * Every error that raftkit gives to its caller. The message says what happened and what to do next; `code` is
 * stable. Check with {@link RaftError.is}, which also recognises errors of another installed copy.
 */
export class RaftError extends Error {
  readonly code: RaftErrorCode
  readonly retryable: boolean
  readonly outcome: Outcome | undefined
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: RaftErrorCode, message: string, options: RaftErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'RaftError'
    this.code = code
    this.retryable = options.retryable ?? false
    this.outcome = options.outcome
    this.details = options.details ?? {}
    Object.defineProperty(this, brand, { value: true })
  }

  /** True for a RaftError, of `code` when one is given. */
  static is(error: unknown, code?: RaftErrorCode): error is RaftError {
    if (typeof error !== 'object' || error === null || !(brand in error)) return false
    return code === undefined || ('code' in error && error.code === code)
  }
}

/** What an unknown thrown value says, for log lines and messages. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
