import { type AppendEntriesRequest, RPC_LABELS, rpcLabelOf } from '@raftkit/interface'
import { expect, it } from 'vitest'

const header = { protocolVersion: 3, id: 'n1', address: 'n1:1' }
const bare: AppendEntriesRequest = {
  type: 'append-entries',
  header,
  term: 7,
  prevLogIndex: 0,
  prevLogTerm: 0,
  leaderCommit: 0,
  entries: null,
}

it.each([
  ['without entries', bare, 'heartbeat'],
  ['with an empty list', { ...bare, entries: [] }, 'heartbeat'],
  ['that tells a commit index', { ...bare, leaderCommit: 3 }, 'append-entries'],
  ['that probes', { ...bare, prevLogIndex: 3, prevLogTerm: 1 }, 'append-entries'],
] as const)('AppendEntries %s', (_, request, label) => {
  expect(rpcLabelOf(request)).toBe(label)
})

it('knows every type of request by its name', () => {
  expect(rpcLabelOf({ type: 'timeout-now', header })).toBe('timeout-now')
  expect(RPC_LABELS).toHaveLength(7)
})
