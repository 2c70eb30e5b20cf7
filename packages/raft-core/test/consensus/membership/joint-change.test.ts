// Several members at once (§6): learners, catch-up, the joint state, and its end.
import { describe, expect, test } from 'vitest'
import type { Configuration, ServerId } from '@raftkit/interface/protocol'
import type { Effect, MembershipPlan } from '@raftkit/raft-core/consensus'
import { configurationOf } from '../cluster/entries.ts'
import { all, type EffectOf, LoneServer, only, success } from '../lone-server.ts'
import {
  acknowledge,
  add,
  ask,
  demote,
  leader,
  lease,
  members,
  refusals,
  remove,
} from '../membership-steps.ts'
import { tellMembers } from '../stories/narrator.ts'

type Lists = Extract<MembershipPlan, { type: 'change-membership' }>

function plan(lists: {
  readonly add?: readonly ServerId[]
  readonly promote?: readonly ServerId[]
  readonly demote?: readonly ServerId[]
  readonly remove?: readonly ServerId[]
}): Lists {
  const { add: added = [], promote = [], demote: demoted = [], remove: removed = [] } = lists
  return {
    type: 'change-membership',
    add: added.map((id) => ({ id, address: `${id}:1`, suffrage: 'voter' })),
    promote,
    demote: demoted,
    remove: removed,
  }
}

const replace = (id: ServerId, by: ServerId): MembershipPlan => ({
  type: 'replace-server',
  id,
  by: { id: by, address: `${by}:1` },
})

const told = (server: LoneServer): string => tellMembers(server.status.latest.configuration)

const appended = (effects: readonly Effect[]): string[] =>
  all(effects, 'append-configuration').map(({ configuration }) => tellMembers(configuration))

/** Everyone acknowledges until nothing is left to do. */
function finish(server: LoneServer, effects: readonly Effect[]): Effect[] {
  const done: Effect[] = [...effects]
  let next: readonly Effect[] = effects
  for (let round = 0; round < 8 && next.length > 0; round++) {
    next = acknowledge(server, next)
    done.push(...next)
  }
  return done
}

describe('a plan', () => {
  test('goes by way of learners and the joint state, one entry at a time', () => {
    const server = leader()
    const done = finish(server, ask(server, plan({ add: ['n4', 'n5'], remove: ['n1', 'n2'] })))
    expect(appended(done)).toEqual([
      'n1 n2 n3 (n4) (n5)',
      'n1 n2 n3 (n4) (n5) and n3 n4 n5',
      'n3 n4 n5',
    ])
  })

  test('ends with the entry that ends the joint state, for its caller too', () => {
    const server = leader()
    const done = finish(server, ask(server, plan({ add: ['n4', 'n5'] })))
    const entries = all(done, 'append-configuration')
    expect(entries.map(({ changeId }) => changeId)).toEqual([0, 1, 1])
    expect(all(done, 'change-ended')).toEqual([
      { type: 'change-ended', changeId: 1, index: entries.at(-1)!.index },
    ])
    expect(server.status.latest.configuration.next).toBeUndefined()
  })

  test('needs no learners when nobody is new, and no catching up when nobody wins a vote', () => {
    const server = leader({ voters: ['n1', 'n2', 'n3', 'n4', 'n5'] })
    const effects = ask(server, plan({ demote: ['n4'], remove: ['n5'] }))
    expect(appended(effects)).toEqual(['n1 n2 n3 n4 n5 and n1 n2 n3 (n4)'])
  })

  test('that moves one vote takes one entry, without a joint state', () => {
    const server = leader()
    const done = finish(server, ask(server, plan({ add: ['n4'] })))
    expect(appended(done)).toEqual(['n1 n2 n3 (n4)', 'n1 n2 n3 n4'])
    expect(only(done, 'change-ended').changeId).toBe(1)
  })

  test('that changes nothing is done with one entry', () => {
    const server = leader()
    const done = finish(server, ask(server, plan({ promote: ['n2'] })))
    expect(appended(done)).toEqual(['n1 n2 n3'])
    expect(only(done, 'change-ended').changeId).toBe(1)
  })

  test('replaces a server in one change', () => {
    const server = leader()
    const done = finish(server, ask(server, replace('n3', 'n4')))
    expect(appended(done)).toEqual(['n1 n2 n3 (n4)', 'n1 n2 n3 (n4) and n1 n2 n4', 'n1 n2 n4'])
    expect(only(done, 'change-ended').changeId).toBe(1)
  })

  test('waits until an entry of the own term is committed (regression list, 8)', () => {
    const server = new LoneServer({ timing: lease, snapshot: { index: 2, term: 1 }, log: [] })
    const sent = server.lead()
    expect(appended(ask(server, plan({ demote: ['n2'], remove: ['n3'] })))).toEqual([])
    for (const append of sent) server.answered(append, success(server.status.term))
    expect(appended(server.turn())).toEqual(['n1 n2 n3 and n1 (n2)'])
  })
})

describe('while servers catch up', () => {
  const held: EffectOf<'send-entries'>[] = []

  /** n4 and n5 are taken in and do not answer. */
  function catchingUp(): LoneServer {
    held.length = 0
    const server = leader()
    const effects = ask(server, plan({ add: ['n4', 'n5'], remove: ['n3'] }))
    acknowledge(server, effects, ['n4', 'n5'], held)
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5)')
    return server
  }

  function answer(server: LoneServer, id: ServerId): Effect[] {
    const effects = held
      .filter(({ to }) => to.id === id)
      .flatMap((sent) => server.answered(sent, success(server.status.term)))
    return [...effects, ...server.turn()]
  }

  test('all of them must have caught up (faults D15)', () => {
    const server = catchingUp()
    expect(appended(answer(server, 'n4'))).toEqual([])
    expect(appended(answer(server, 'n5'))).toEqual(['n1 n2 n3 (n4) (n5) and n1 n2 n4 n5'])
  })

  test('those who are known to be behind are waited for', () => {
    const server = leader({ nonvoters: ['n4', 'n5'] })
    const behind: EffectOf<'send-entries'>[] = []
    acknowledge(server, server.turn({ type: 'proposed', count: 1 }), ['n4'], behind)
    const change = plan({ promote: ['n4', 'n5'] })
    expect(appended([...ask(server, change), ...server.turn()])).toEqual([])
    for (const sent of behind) server.answered(sent, success(server.status.term))
    expect(appended(server.turn())).toEqual(['n1 n2 n3 (n4) (n5) and n1 n2 n3 n4 n5'])
  })

  test('other changes are made', () => {
    const server = catchingUp()
    const effects = ask(server, add('n6'), 2)
    expect(appended(effects)).toEqual(['n1 n2 n3 (n4) (n5) n6'])
    acknowledge(server, effects, ['n4', 'n5'])
    answer(server, 'n4')
    // What the plan leads to is reckoned from what there is now.
    expect(appended(answer(server, 'n5'))).toEqual(['n1 n2 n3 (n4) (n5) n6 and n1 n2 n4 n5 n6'])
  })

  test.each([
    ['removes one that was added', remove('n4')],
    ['removes one that the plan removes', remove('n3')],
    ['moves one that was added', { type: 'add-nonvoter', id: 'n4', address: 'elsewhere:1' }],
  ] as const)('another change that %s overtakes the plan', (_, change) => {
    const server = catchingUp()
    const done = acknowledge(server, ask(server, change, 2), ['n4', 'n5'])
    expect(refusals(done)).toEqual([[1, 'superseded', false]])
    answer(server, 'n5')
    expect(server.status.latest.configuration.next).toBeUndefined()
  })

  test('a caller that waits no longer leaves the new servers as nonvoters', () => {
    const server = catchingUp()
    server.turn({ type: 'change-withdrawn', changeId: 1 })
    answer(server, 'n4')
    expect(appended(answer(server, 'n5'))).toEqual([])
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5)')
  })

  test('and asked again the plan goes on from there', () => {
    const server = catchingUp()
    server.turn({ type: 'change-withdrawn', changeId: 1 })
    answer(server, 'n4')
    answer(server, 'n5')
    const effects = ask(server, plan({ add: ['n4', 'n5'], remove: ['n3'] }), 2)
    expect([...appended(effects), ...appended(server.turn())]).toEqual([
      'n1 n2 n3 (n4) (n5) and n1 n2 n4 n5',
    ])
  })

  test('a leader that is deposed leaves nothing of the plan: it is safe to ask again', () => {
    const server = catchingUp()
    const { lastIndex, lastTerm } = server.status
    const effects = server.append({ from: 'n2', term: 9, prev: [lastIndex, lastTerm] })
    expect(refusals(effects)).toEqual([[1, 'leadership-lost', false]])
  })
})

describe('in the joint state', () => {
  /** n4 and n5 take the places of n2 and n3, and that is appended. */
  function joint(): { readonly server: LoneServer; readonly effects: readonly Effect[] } {
    const server = leader({ nonvoters: ['n4', 'n5'] })
    server.turn()
    acknowledge(server, server.turn({ type: 'proposed', count: 1 }))
    const first = ask(server, plan({ promote: ['n4', 'n5'], remove: ['n2', 'n3'] }))
    const effects = [...first, ...server.turn()]
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5) and n1 n4 n5')
    return { server, effects }
  }

  test('a quorum of each half commits', () => {
    const { server, effects } = joint()
    const { index } = only(effects, 'append-configuration')
    acknowledge(server, effects, ['n3', 'n4', 'n5'])
    expect(server.status.commitIndex).toBeLessThan(index)
    const other = joint()
    acknowledge(other.server, other.effects, ['n2', 'n3', 'n5'])
    expect(other.server.status.commitIndex).toBeLessThan(index)
    const both = joint()
    acknowledge(both.server, both.effects, ['n3', 'n5'])
    expect(both.server.status.commitIndex).toBe(index)
  })

  test('nothing ends it before it is committed', () => {
    const { server, effects } = joint()
    expect(appended(acknowledge(server, effects, ['n4', 'n5']))).toEqual([])
    for (let turn = 0; turn < 3; turn++) expect(appended(server.turn())).toEqual([])
  })

  test('it is ended once, however long that takes to be committed (faults D6)', () => {
    const { server, effects } = joint()
    const done = acknowledge(server, effects)
    expect(appended(done)).toEqual(['n1 n4 n5'])
    for (let turn = 0; turn < 3; turn++) {
      expect(appended(server.turn({ type: 'proposed', count: 1 }))).toEqual([])
      expect(appended(ask(server, demote('n5'), 7 + turn))).toEqual([])
    }
  })

  test('other changes wait until it is over', () => {
    const { server, effects } = joint()
    expect(appended(ask(server, demote('n5'), 2))).toEqual([])
    const done = finish(server, effects.slice(0, 0).concat(acknowledge(server, effects)))
    expect(appended(done)).toEqual(['n1 n4 n5', 'n1 n4 (n5)'])
    expect(all(done, 'change-ended').map(({ changeId }) => changeId)).toEqual([1, 2])
  })

  test('the plan cannot be withdrawn', () => {
    const { server, effects } = joint()
    expect(appended(server.turn({ type: 'change-withdrawn', changeId: 1 }))).toEqual([])
    expect(appended(acknowledge(server, effects))).toEqual(['n1 n4 n5'])
  })

  test('a leader that is deposed leaves the plan open', () => {
    const { server } = joint()
    const { lastIndex, lastTerm } = server.status
    const effects = server.append({ from: 'n2', term: 9, prev: [lastIndex, lastTerm] })
    expect(refusals(effects)).toEqual([[1, 'leadership-lost', true]])
  })

  test('a snapshot cannot be restored', () => {
    const { server, effects } = joint()
    acknowledge(server, effects, ['n5'])
    // The end of the joint state is held back: the disk is slow.
    const other = leader({
      configurations: [{ index: 1, configuration: jointOf() }],
      nonvoters: [],
    })
    expect(other.status.latest.index).toBeGreaterThan(1)
    const refused = only(
      other.step({ type: 'restore-requested', restoreId: 1, index: 1 }),
      'restore-ended',
    )
    expect(refused.refusal).toBe('configuration-pending')
  })
})

/** n1 n2 n3 change to n1 n4 n5. */
function jointOf(): Configuration {
  return {
    servers: configurationOf(['n1', 'n2', 'n3'], ['n4', 'n5']).servers,
    next: configurationOf(['n1', 'n4', 'n5']).servers,
  }
}

describe('a later leader', () => {
  const configurations = [{ index: 1, configuration: jointOf() }]

  test('ends the joint state by itself, when an entry of its own term is committed', () => {
    const server = new LoneServer({ timing: lease, configurations })
    const sent = server.lead()
    expect(appended(server.turn())).toEqual([])
    for (const append of sent) server.answered(append, success(server.status.term))
    const effects = server.turn()
    expect(appended(effects)).toEqual(['n1 n4 n5'])
    expect(only(effects, 'append-configuration').changeId).toBe(0)
    expect(appended(acknowledge(server, effects))).toEqual([])
  })

  test('that has lost the joint entry goes back to the configuration before it', () => {
    const before = { index: 1, configuration: configurationOf(['n1', 'n2', 'n3'], ['n4', 'n5']) }
    const server = new LoneServer({
      log: [1, 2],
      configurations: [before, { index: 2, configuration: jointOf() }],
    })
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5) and n1 n4 n5')
    server.append({ term: 3, prev: [1, 1], entries: [3] })
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5)')
  })

  test('that has lost the end of the joint state is in it again', () => {
    const after = { index: 2, configuration: configurationOf(['n1', 'n4', 'n5']) }
    const server = new LoneServer({ log: [1, 2], configurations: [...configurations, after] })
    expect(told(server)).toBe('n1 n4 n5')
    server.append({ term: 3, prev: [1, 1], entries: [3] })
    expect(told(server)).toBe('n1 n2 n3 (n4) (n5) and n1 n4 n5')
  })

  test('takes it from a snapshot (faults D4), where it is committed, and waits for its own commit all the same', () => {
    const options = { timing: lease, snapshot: { index: 5, term: 1 }, log: [], configurations }
    const server = new LoneServer(options)
    const sent = server.lead()
    expect(server.status.committed.configuration.next).toBeDefined()
    expect(appended(server.turn())).toEqual([])
    for (const append of sent) server.answered(append, success(server.status.term))
    expect(appended(server.turn())).toEqual(['n1 n4 n5'])
  })
})

describe('a leader that is not among the new members', () => {
  function leaving(): { readonly server: LoneServer; readonly effects: readonly Effect[] } {
    const server = leader({ voters: ['n1', 'n2', 'n3', 'n4'] })
    return { server, effects: ask(server, plan({ remove: ['n1', 'n2'] })) }
  }

  test('leads the joint state, and takes commands', () => {
    const { server } = leaving()
    expect(told(server)).toBe('n1 n2 n3 n4 and n3 n4')
    expect(all(server.turn({ type: 'proposed', count: 1 }), 'append-proposals')).toHaveLength(1)
  })

  test('leads without a vote until the end of it is committed, and hands over', () => {
    const { server, effects } = leaving()
    const end = acknowledge(server, effects)
    expect(appended(end)).toEqual(['n3 n4'])
    // Its own disk does not count any more: one of two is not enough.
    acknowledge(server, end, ['n4'])
    expect(server.status.role).toBe('leader')
    const refused = only(server.turn({ type: 'proposed', count: 1 }), 'proposals-refused')
    expect(refused.reason).toBe('transfer-in-progress')
  })

  test('tells those who are removed, and asks one of the new members to campaign', () => {
    const { server, effects } = leaving()
    const done = finish(server, effects)
    const handOver = all(done, 'send').find(({ request }) => request.type === 'timeout-now')
    expect(handOver?.to.id).toMatch(/n[34]/u)
    expect(server.status.role).toBe('follower')
  })

  test('does not hand over to another one that goes', () => {
    const { server } = leaving()
    const ended = (target: ServerId): unknown =>
      all(server.step({ type: 'transfer-requested', transferId: 1, target }), 'transfer-ended').map(
        ({ refusal }) => refusal,
      )
    expect(ended('n2')).toEqual(['target-not-voter'])
    expect(ended('n3')).toEqual([])
  })
})

describe('a plan is refused, and nothing changes', () => {
  test.each([
    ['an unknown server is removed', plan({ remove: ['n9'] }), 'unknown-server', 'n9'],
    ['an unknown server is promoted', plan({ promote: ['n9'] }), 'unknown-server', 'n9'],
    ['an unknown server is demoted', plan({ demote: ['n9'] }), 'unknown-server', 'n9'],
    ['an unknown server is replaced', replace('n9', 'n4'), 'unknown-server', 'n9'],
    [
      'no voter would be left',
      plan({ remove: ['n1', 'n2'], demote: ['n3'] }),
      'no-voter',
      undefined,
    ],
    [
      'an address is taken',
      { ...plan({}), add: [{ id: 'n4', address: 'n2:1', suffrage: 'voter' }] },
      'duplicate-address',
      'n4',
    ],
    [
      'an address is not free before the change is made',
      { type: 'replace-server', id: 'n2', by: { id: 'n4', address: 'n2:1' } },
      'duplicate-address',
      'n4',
    ],
  ] as const)('when %s', (_, change, reason, culprit) => {
    const server = leader()
    const effects = ask(server, change)
    expect(only(effects, 'change-refused')).toMatchObject({
      reason,
      isAppended: false,
      ...(culprit === undefined ? {} : { server: culprit }),
    })
    expect(appended(effects)).toEqual([])
    expect(server.status.latest.index).toBe(1)
  })

  test('when prevIndex is not that of the configuration in force', () => {
    const server = leader()
    const change = plan({ demote: ['n2'], remove: ['n3'] })
    expect(refusals(ask(server, change, 1, 7))).toEqual([[1, 'configuration-changed', false]])
    expect(appended(ask(server, change, 2, 1))).toEqual(['n1 n2 n3 and n1 (n2)'])
  })

  test('by a server that does not lead', () => {
    const effects = ask(new LoneServer(), plan({ add: ['n4'] }))
    expect(refusals(effects)).toEqual([[1, 'not-leader', false]])
  })
})

test('servers staged by others have their votes, or end the wait of their callers', () => {
  const server = leader({ voters: ['n1', 'n2', 'n3'] })
  for (const [changeId, id] of [
    [1, 'n4'],
    [2, 'n5'],
  ] as const)
    acknowledge(server, ask(server, { type: 'stage-voter', id, address: `${id}:1` }, changeId), [
      'n4',
      'n5',
    ])
  expect(members(server)).toContain('n5 staging')
  const done = acknowledge(
    server,
    ask(server, plan({ demote: ['n4'], remove: ['n5', 'n2', 'n3'] }), 3),
    ['n4', 'n5'],
  )
  // They have not been heard: for a while they might still answer.
  expect(appended(done)).toEqual([])
  const last = finish(server, server.turnAt(server.now + 100))
  expect(refusals(last)).toEqual([
    [1, 'superseded', false],
    [2, 'superseded', false],
  ])
})
