// Section 6 of the paper: in the joint state every decision needs a majority of each half, never one of all of them
// together (faults D5).
import { describe, expect, test } from 'vitest'
import type { Configuration, ServerId } from '@raftkit/interface/protocol'
import type { Effect } from '@raftkit/raft-core/consensus'
import { configurationOf } from '../cluster/entries.ts'
import { all, LoneServer, success } from '../lone-server.ts'
import { lease } from '../membership-steps.ts'

/** Old and new members, this server, who says yes besides it, and whether that is enough. */
type Case = readonly [
  before: readonly ServerId[],
  after: readonly ServerId[],
  self: ServerId,
  others: readonly ServerId[],
  isEnough: boolean,
]

const old = ['n1', 'n2', 'n3']
const overlapping = ['n1', 'n4', 'n5']
const apart = ['n4', 'n5', 'n6']
const TABLE: readonly Case[] = [
  [old, overlapping, 'n1', [], false],
  [old, overlapping, 'n1', ['n2', 'n3'], false],
  [old, overlapping, 'n1', ['n4', 'n5'], false],
  [old, overlapping, 'n1', ['n2', 'n4'], true],
  [old, overlapping, 'n1', ['n3', 'n5'], true],
  [old, overlapping, 'n2', ['n1'], false],
  [old, overlapping, 'n2', ['n1', 'n4'], true],
  [old, overlapping, 'n2', ['n4', 'n5'], false],
  [old, apart, 'n1', ['n2', 'n3', 'n4'], false],
  [old, apart, 'n1', ['n4', 'n5', 'n6'], false],
  [old, apart, 'n1', ['n2', 'n4', 'n5'], true],
  [old, apart, 'n4', ['n1', 'n2', 'n5'], true],
  [old, ['n1'], 'n1', ['n2'], true],
  [old, ['n1'], 'n2', ['n3'], false],
  [['n1'], old, 'n1', ['n3'], true],
  [['n1'], old, 'n2', ['n3'], false],
]

function jointOf(before: readonly ServerId[], after: readonly ServerId[]): Configuration {
  return { servers: configurationOf(before).servers, next: configurationOf(after).servers }
}

function serverOf([before, after, id]: Case, isPatient = true): LoneServer {
  const configuration = jointOf(before, after)
  const timing = isPatient ? lease : {}
  return new LoneServer({ id, timing, configurations: [{ index: 1, configuration }] })
}

/** Everyone named answers what it was sent; what comes of that. */
function answered(
  server: LoneServer,
  effects: readonly Effect[],
  ids: readonly ServerId[],
): Effect[] {
  const done: Effect[] = []
  for (const sent of all(effects, 'send')) {
    const { request, to } = sent
    if (!ids.includes(to.id)) continue
    if (request.type === 'request-vote' || request.type === 'request-pre-vote')
      done.push(...server.answered(sent, { type: request.type, term: request.term, granted: true }))
    else done.push(...server.answered(sent, success(server.status.term)))
  }
  return done
}

const title = '%s and %s: %s with %s, enough: %s'

describe('a majority of each half (§6)', () => {
  test.each(TABLE)(`is needed to be elected: ${title}`, (...row) => {
    const [before, after, , others, isEnough] = row
    const server = serverOf(row)
    const everyone = [...before, ...after]
    const campaign = answered(server, server.turnAt(1000), everyone)
    expect(server.status.role).toBe('candidate')
    const asked = [...server.sync(campaign), ...campaign]
    answered(server, asked, others)
    expect(server.status.role === 'leader').toBe(isEnough)
  })

  test.each(TABLE)(`is needed to campaign: ${title}`, (...row) => {
    const server = serverOf(row)
    answered(server, server.turnAt(1000), row[3])
    expect(server.status.role).toBe(row[4] ? 'candidate' : 'pre-candidate')
  })

  test.each(TABLE)(`is needed to commit: ${title}`, (...row) => {
    const server = serverOf(row)
    for (const sent of server.lead())
      if (row[3].includes(sent.to.id)) server.answered(sent, success(server.status.term))
    expect(server.status.commitIndex > 0).toBe(row[4])
  })

  test.each(TABLE)(`is needed to read: ${title}`, (...row) => {
    const server = serverOf(row)
    server.lead()
    const effects = server.turn({ type: 'read-requested', readId: 1, needsIndex: false })
    expect(all(answered(server, effects, row[3]), 'read-confirmed')).toHaveLength(row[4] ? 1 : 0)
  })

  test.each(TABLE)(`is needed to read on a lease: ${title}`, (...row) => {
    const server = serverOf(row)
    server.lead()
    server.now += 90
    answered(server, server.turn(), row[3])
    server.now += 50
    const effects = server.step({
      type: 'read-requested',
      readId: 1,
      needsIndex: false,
      onLease: true,
    })
    // All must have answered once: a voter that has not is not known to keep to the lease.
    const [before, after, self] = row
    const hasAll = new Set([...before, ...after, self]).size === row[3].length + 1
    expect(all(effects, 'read-confirmed')).toHaveLength(row[4] && hasAll ? 1 : 0)
  })

  test.each(TABLE)(`is needed to stay leader: ${title}`, (...row) => {
    const server = serverOf(row, false)
    server.lead()
    const start = server.now
    for (let now = start + 1; now < start + 300 && server.status.role === 'leader'; now++)
      answered(server, server.turnAt(now), row[3])
    expect(server.status.role === 'leader').toBe(row[4])
  })
})

test('a server that has a vote in one half campaigns, and one that has none does not', () => {
  const configuration = jointOf(['n1', 'n2', 'n3'], ['n2', 'n3', 'n4'])
  for (const [id, isVoter] of [
    ['n1', true],
    ['n4', true],
    ['n5', false],
  ] as const) {
    const server = new LoneServer({ id, configurations: [{ index: 1, configuration }] })
    expect(all(server.turnAt(1000), 'send').length > 0).toBe(isVoter)
  }
})

test('members of both halves are asked, each once, where they will be', () => {
  const next = [
    { suffrage: 'voter', id: 'n3', address: 'elsewhere:1' },
    { suffrage: 'voter', id: 'n4', address: 'n4:1' },
  ] as const
  const configuration = { servers: configurationOf(['n1', 'n2', 'n3']).servers, next }
  const server = new LoneServer({ configurations: [{ index: 1, configuration }] })
  expect(all(server.turnAt(1000), 'send').map(({ to }) => `${to.id} ${to.address}`)).toEqual([
    'n2 n2:1',
    'n3 elsewhere:1',
    'n4 n4:1',
  ])
})

test('a vote is given to a server of either half', () => {
  const configuration = jointOf(['n1', 'n2'], ['n1', 'n3'])
  for (const from of ['n2', 'n3']) {
    const server = new LoneServer({ configurations: [{ index: 1, configuration }] })
    const answer = all(
      server.receive({
        type: 'request-vote',
        from: { id: from, address: `${from}:1`, isRaftkit: true },
        term: 5,
        lastLogIndex: 1,
        lastLogTerm: 1,
        leadershipTransfer: false,
      }),
      'answer',
    )
    expect(answer).toMatchObject([{ answer: { granted: true } }])
  }
})
