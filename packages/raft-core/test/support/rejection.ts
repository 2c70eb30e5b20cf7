import { RaftError } from '@raftkit/interface'

/** The error that the promise rejects with; fails when it resolves. */
export async function rejection(promise: Promise<unknown>): Promise<RaftError> {
  const settled = await promise.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!RaftError.is(settled)) throw new Error(`a RaftError was expected, not ${String(settled)}`)
  return settled
}
