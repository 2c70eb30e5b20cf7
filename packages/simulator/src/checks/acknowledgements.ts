import type {
  AppendEntriesRequest,
  Index,
  RpcRequest,
  RpcResponse,
  ServerId,
  Term,
} from '@raftkit/interface'
import type { DiskImage } from '../disk/disk-image.ts'
import type { Violate } from './violation.ts'

/** What is known of entries that a disk has no more. */
export interface GoneEntries {
  /** Term of the committed entry at an index; undefined when none is. */
  readonly committedTerm: (index: Index) => Term | undefined
  /** True when a restore has taken the place of the entry. */
  readonly isReplaced: (index: Index, term: Term) => boolean
}

/** What a follower acknowledges is durable on its disk (§5.3 with Figure 2, "updated on stable storage before responding"). */
export function checkAcknowledgement(
  violate: Violate,
  id: ServerId,
  image: DiskImage,
  request: RpcRequest,
  response: RpcResponse,
  gone: GoneEntries,
): void {
  if (request.type === 'append-entries' && response.type === 'append-entries' && response.success)
    checkEntries(violate, id, image, request, gone)
  if (
    request.type === 'install-snapshot' &&
    response.type === 'install-snapshot' &&
    response.success &&
    !image.holds(request.lastLogIndex, request.lastLogTerm)
  )
    violate(
      'persist, then promise',
      `${id} acknowledges the snapshot of ${request.lastLogIndex}, which its disk lacks`,
    )
}

function checkEntries(
  violate: Violate,
  id: ServerId,
  image: DiskImage,
  request: AppendEntriesRequest,
  { committedTerm, isReplaced }: GoneEntries,
): void {
  if (request.entries === null) return
  const last = request.entries.at(-1)
  const index = last?.lastIndex ?? request.prevLogIndex
  const term = last?.lastTerm ?? request.prevLogTerm
  if (index === 0 || isReplaced(index, term)) return
  // A snapshot holds what is committed, which may be another entry than the acknowledged one.
  const isInSnapshot = index <= image.snapshotIndex && image.entry(index) === undefined
  if (isInSnapshot ? committedTerm(index) !== term : !image.holds(index, term))
    violate(
      'persist, then promise',
      `${id} acknowledges entry ${index} of term ${term}, which is not durable there`,
    )
}
