import type { Index, ServerId, Term } from '@raftkit/interface'
import type { RaftState } from '@raftkit/raft-core'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Violate } from './violation.ts'

/**
 * A leader never removes an entry of its log (Leader Append-Only, §5.3): here, none of its own term. What it removed
 * while it still followed may reach the disk later, and is of earlier terms.
 */
export function checkLeaderTruncation(
  violate: Violate,
  id: ServerId,
  raft: { readonly state: RaftState; readonly currentTerm: Term } | undefined,
  image: DiskImage,
  from: Index,
): void {
  if (raft === undefined || raft.state !== 'leader') return
  if (image.entry(image.lastIndex)?.term === raft.currentTerm && from <= image.lastIndex)
    violate(
      'leader append-only',
      `${id}, the leader of term ${raft.currentTerm}, truncates from ${from}`,
    )
}
