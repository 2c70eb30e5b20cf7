// Which disk a server has, and what one with another disk counts for.
import { describe, expect, test } from 'vitest'
import type { IndexedConfiguration } from '@raftkit/interface/protocol'
import type { Effect } from '@raftkit/raft-core/consensus'
import type { ReceivedRequestVote } from '../../../src/consensus/messages.ts'
import { all, type EffectOf, LoneServer, only, sender, success } from '../lone-server.ts'

const knownDisks: IndexedConfiguration = {
  index: 1,
  configuration: {
    servers: [1, 2, 3].map((n) => ({
      suffrage: 'voter',
      id: `n${n}`,
      address: `n${n}:1`,
      diskId: n,
    })),
  },
}

function server(diskId: number): LoneServer {
  return new LoneServer({ configurations: [knownDisks], diskId })
}

const vote = (diskId: number | undefined, lastLogIndex = 1): ReceivedRequestVote => ({
  type: 'request-vote',
  from: { ...sender('n2'), diskId },
  term: 5,
  lastLogIndex,
  lastLogTerm: 1,
  leadershipTransfer: false,
})

const granted = (effects: readonly Effect[]): unknown => only(effects, 'answer').answer

describe('a vote', () => {
  test.each([
    ['the disk that is known', 2, true],
    ['no disk, as hashicorp/raft', undefined, true],
    ['another disk', 9, false],
  ])('of a candidate with %s', (_, diskId, isGranted) => {
    expect(granted(server(1).receive(vote(diskId)))).toMatchObject({ granted: isGranted })
  })

  test('of a candidate with another disk brings no term', () => {
    expect(granted(server(1).receive(vote(9)))).toMatchObject({ term: 1 })
  })

  test('of a candidate with another disk and more of the log: it may have been added again', () => {
    expect(granted(server(1).receive(vote(9, 2)))).toMatchObject({ granted: true })
  })

  test('is not given by a server that has another disk itself', () => {
    expect(granted(server(9).receive(vote(2)))).toMatchObject({ granted: false, term: 1 })
  })

  // Added again and given its vote at once, it may be the one that the only possible leader waits for.
  test('is given by one with another disk to a candidate with more of the log: it may be in it', () => {
    expect(granted(server(9).receive(vote(2, 2)))).toMatchObject({ granted: true })
    const { term, from, lastLogIndex, lastLogTerm } = vote(2, 2)
    const preVote = { type: 'request-pre-vote', term, from, lastLogIndex, lastLogTerm } as const
    expect(granted(server(9).receive(preVote))).toMatchObject({ granted: true })
  })
})

test('a server with another disk does not campaign', () => {
  expect(all(server(9).turnAt(1000), 'send')).toEqual([])
  expect(all(server(1).turnAt(1000), 'send')).toHaveLength(2)
})

test('the vote of a server with another disk does not count, nor does its term', () => {
  const candidate = server(1)
  for (const { sendId, to } of all(candidate.turnAt(1000), 'send'))
    candidate.step({
      type: 'answered',
      peer: to.id,
      sendId,
      answer: { type: 'request-pre-vote', term: 9, granted: true },
      isRaftkit: true,
      diskId: 9,
    })
  expect(candidate.status).toMatchObject({ role: 'pre-candidate', term: 1 })
})

test('the acknowledgement of a server with another disk does not count', () => {
  const leader = server(1)
  for (const { sendId, to } of leader.lead())
    leader.step({
      type: 'answered',
      peer: to.id,
      sendId,
      answer: success(2),
      isRaftkit: true,
      diskId: 9,
    })
  expect(leader.status.commitIndex).toBe(0)
  expect(leader.status.peers.map(({ matchIndex }) => matchIndex)).toEqual([0, 0])
})

test('both halves of a joint configuration name the disks', () => {
  const leader = new LoneServer({
    voters: ['n1', 'n2', 'n3'],
    diskId: 1,
    timing: { leaderLeaseTimeoutMs: 100_000 },
  })
  const sent = leader.lead()
  const change = {
    type: 'change-membership',
    add: [],
    promote: [],
    demote: ['n2'],
    remove: ['n3'],
  } as const
  leader.step({ type: 'change-requested', changeId: 1, change, prevIndex: 0 })
  for (const { sendId, to } of sent)
    leader.step({
      type: 'answered',
      peer: to.id,
      sendId,
      answer: success(2),
      isRaftkit: true,
      diskId: Number(to.id.slice(1)),
    })
  const joint = only(leader.turn(), 'append-configuration').configuration
  expect(joint.servers.map(({ id, diskId }) => `${id} ${diskId}`)).toEqual(['n1 1', 'n2 2', 'n3 3'])
  expect(joint.next?.map(({ id, diskId }) => `${id} ${diskId}`)).toEqual(['n1 1', 'n2 2'])
})

test('a server that is added again is not known by the disk that it had before', () => {
  const leader = new LoneServer({
    voters: ['n1', 'n2', 'n3'],
    diskId: 1,
    timing: { leaderLeaseTimeoutMs: 100_000 },
  })
  const answered = (sent: readonly EffectOf<'send-entries'>[]): void => {
    for (const { sendId, to } of sent)
      leader.step({
        type: 'answered',
        peer: to.id,
        sendId,
        answer: success(2),
        isRaftkit: true,
        diskId: Number(to.id.slice(1)),
      })
  }
  const change = (type: 'remove-server' | 'add-voter'): readonly Effect[] => {
    const to = { id: 'n3', address: 'n3:1' }
    const asked = type === 'add-voter' ? { type, ...to } : { type, id: to.id }
    return leader.turn({ type: 'change-requested', changeId: 1, change: asked, prevIndex: 0 })
  }
  const first = leader.lead()
  answered(first.filter(({ to }) => to.id === 'n2'))
  const removal = leader.read(change('remove-server'))
  leader.sync([])
  answered(removal.filter(({ to }) => to.id === 'n2'))
  const notices = leader.read(leader.turn())
  const disks = (): unknown =>
    leader.status.latest.configuration.servers.map(({ id, diskId }) => `${id} ${diskId}`)
  answered(notices.filter(({ to }) => to.id === 'n2'))
  // Its last words from before come when it is back already.
  const added = leader.read([...change('add-voter'), ...leader.turn()])
  expect(disks()).toContain('n3 undefined')
  answered(first.filter(({ to }) => to.id === 'n3'))
  leader.sync([])
  answered(added.filter(({ to }) => to.id === 'n2'))
  leader.turn()
  expect(disks()).toContain('n3 undefined')
  answered(added.filter(({ to }) => to.id === 'n3'))
  leader.turn()
  expect(disks()).toContain('n3 3')
})
