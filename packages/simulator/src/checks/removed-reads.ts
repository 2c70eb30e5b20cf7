import { RaftError, type RaftErrorCode, type ServerId } from '@raftkit/interface'
import type { Violate } from './violation.ts'

/** It was removed, or has ended since. */
const HONEST: ReadonlySet<RaftErrorCode> = new Set([
  'RAFT_REMOVED',
  'RAFT_SHUTDOWN',
  'RAFT_STOPPED',
])

/**
 * A server that knows that it was removed is asked for a read that has to be new: it must say so. Whatever the read would
 * find, nobody tells this server of what is acknowledged any more.
 */
export function checkRemovedRead(violate: Violate, id: ServerId, read: Promise<unknown>): void {
  read.then(
    () => violate('removed servers refuse reads', `${id} serves a read after its removal`),
    (error: unknown) => {
      if (RaftError.is(error) && HONEST.has(error.code)) return
      violate(
        'removed servers refuse reads',
        `${id}, which was removed, refuses a read with ${String(error)}`,
      )
    },
  )
}
