import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { messagePackCodec } from '../../src/message-pack.ts'
import {
  encodeMembershipRequest,
  runMembershipRequest,
  type MembershipRequest,
} from '../../src/forwarding/membership-request.ts'
import { FakeRaft } from '../fake-raft.ts'

const wait = { timeoutMs: 100 }

describe('runMembershipRequest', () => {
  it.each<[MembershipRequest, unknown[], number]>([
    [
      { type: 'add-voter', id: 'd', address: 'd:1', stage: false, prevIndex: 3 },
      ['addVoter', 'd', 'd:1', { ...wait, prevIndex: 3, stage: false }],
      9,
    ],
    [{ type: 'add-nonvoter', id: 'd', address: 'd:1' }, ['addNonvoter', 'd', 'd:1', wait], 9],
    [
      { type: 'demote-voter', id: 'b', prevIndex: 4 },
      ['demoteVoter', 'b', { ...wait, prevIndex: 4 }],
      9,
    ],
    [{ type: 'remove-server', id: 'b' }, ['removeServer', 'b', wait], 9],
    [
      { type: 'change-membership', change: { add: [{ id: 'd', address: 'd:1' }], remove: ['b'] } },
      ['changeMembership', { add: [{ id: 'd', address: 'd:1' }], remove: ['b'] }, wait],
      9,
    ],
    [
      { type: 'replace-server', id: 'b', by: { id: 'd', address: 'd:1' }, prevIndex: 4 },
      ['replaceServer', 'b', { id: 'd', address: 'd:1' }, { ...wait, prevIndex: 4 }],
      9,
    ],
    [{ type: 'transfer-leadership' }, ['transferLeadership', undefined, wait], 0],
    [{ type: 'transfer-leadership', to: 'b' }, ['transferLeadership', 'b', wait], 0],
  ])('carries out %o', async (request, call, index) => {
    const raft = new FakeRaft()
    const body = encodeMembershipRequest(request)
    expect(await runMembershipRequest(raft, body, wait)).toBe(index)
    expect(raft.membershipCalls).toEqual([call])
  })

  it.each<[string, unknown]>([
    ['nothing', null],
    ['another call', { type: 'shut-down', id: 'b' }],
    ['a change of nothing', { type: 'change-membership' }],
    ['a replacement by nobody', { type: 'replace-server', id: 'b', by: 'd' }],
    ['a voter without a word on staging', { type: 'add-voter', id: 'b', address: 'b:1' }],
  ])('refuses %s, and calls nothing', async (_name, value) => {
    const raft = new FakeRaft()
    await expect(
      runMembershipRequest(raft, messagePackCodec.encode(value), wait),
    ).rejects.toMatchObject({ code: 'RAFT_DECODE_FAILED', outcome: 'not-committed' })
    expect(raft.membershipCalls).toEqual([])
  })

  it('says of a failed transfer what is known of it', async () => {
    const raft = new FakeRaft()
    const transfer = encodeMembershipRequest({ type: 'transfer-leadership', to: 'b' })
    raft.onMembership = () =>
      Promise.reject(new RaftError('RAFT_LEADERSHIP_TRANSFER_FAILED', 'no answer'))
    await expect(runMembershipRequest(raft, transfer, wait)).rejects.toMatchObject({
      code: 'RAFT_LEADERSHIP_TRANSFER_FAILED',
      outcome: 'unknown',
    })
    raft.onMembership = () => Promise.reject(new RaftError('RAFT_NOT_LEADER', 'b leads'))
    await expect(runMembershipRequest(raft, transfer, wait)).rejects.toMatchObject({
      code: 'RAFT_NOT_LEADER',
      outcome: 'not-committed',
    })
  })
})
