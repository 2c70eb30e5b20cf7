import { RaftError } from '@raftkit/interface'

/** An entry to replicate: a command, and bytes that travel beside it. */
export interface EntryToApply {
  readonly data: Uint8Array
  readonly extensions?: Uint8Array
}

/** What is wrong with an entry; undefined when nothing is. */
export function checkEntry({ data, extensions }: EntryToApply): RaftError | undefined {
  if (data instanceof Uint8Array && (extensions === undefined || extensions instanceof Uint8Array))
    return undefined
  return new RaftError('RAFT_INVALID_ARGUMENT', 'a command is a Uint8Array: encode it first', {
    outcome: 'not-committed',
  })
}
