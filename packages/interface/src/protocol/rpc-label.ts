// What requests are called where they are counted: a heartbeat is no AppendEntries there.
import type { AppendEntriesRequest, RpcRequest } from './rpc.ts'

/** The kind of a request, heartbeats apart. */
export type RpcLabel = RpcRequest['type'] | 'heartbeat'

/** Every {@link RpcLabel}. */
export const RPC_LABELS: readonly RpcLabel[] = [
  'append-entries',
  'heartbeat',
  'request-vote',
  'request-pre-vote',
  'install-snapshot',
  'timeout-now',
  'forward',
]

/** True for bare AppendEntries, which hashicorp/raft too sends on a path of their own. */
export function isHeartbeat(request: AppendEntriesRequest): boolean {
  const { entries, prevLogIndex, prevLogTerm, leaderCommit } = request
  const isBare = entries === null || entries.length === 0
  return isBare && prevLogIndex === 0 && prevLogTerm === 0 && leaderCommit === 0
}

/** What a request is called. */
export function rpcLabelOf(request: RpcRequest): RpcLabel {
  if (request.type !== 'append-entries') return request.type
  return isHeartbeat(request) ? 'heartbeat' : 'append-entries'
}
