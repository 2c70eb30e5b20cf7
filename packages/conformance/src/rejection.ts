import assert from 'node:assert/strict'
import { RaftError } from '@raftkit/interface'
import type { RaftErrorCode } from '@raftkit/interface'

/** Asserts that the promise rejects with a RaftError of one of the codes (any code when none is given). */
export async function rejectsWith(
  promise: Promise<unknown>,
  ...codes: readonly RaftErrorCode[]
): Promise<RaftError> {
  const error = await rejectionOf(promise)
  const wanted = codes.length === 0 ? 'a RaftError' : codes.join(' or ')
  if (!RaftError.is(error))
    return assert.fail(`must reject with ${wanted}, rejected with ${String(error)}`)
  if (codes.length > 0 && !codes.includes(error.code))
    return assert.fail(`must reject with ${wanted}, rejected with ${error.code}: ${error.message}`)
  return error
}

/** Asserts that the promise rejects with a RaftError because something happened, not because its time was up. */
export async function rejectsBeforeDeadline(promise: Promise<unknown>): Promise<void> {
  const error = await rejectsWith(promise)
  assert.notEqual(error.code, 'RAFT_RPC_TIMEOUT', 'must not wait for its deadline')
}

/** What the promise rejects with; fails when it resolves. */
export async function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await promise
  } catch (error) {
    return error
  }
  return assert.fail(`must reject, resolved with ${String(value)}`)
}
