// Whom a leader replicates to, and how that changes with the configuration (§6).
import { expect, test } from 'vitest'
import { advanceCommit } from '../../../src/consensus/replication/commitment.ts'
import { becomeLeader, followConfiguration } from '../../../src/consensus/election/leadership.ts'
import { createState, type Leadership, type State } from '../../../src/consensus/state/state.ts'
import { testTiming } from '../cluster/timing.ts'
import { indexed } from '../lone-server.ts'

/** A leader of n1, n2 and n3 whose peers have everything. */
function leader(): { state: State; leadership: Leadership } {
  const state = createState(
    {
      self: { id: 'n1', address: 'n1:1' },
      hardState: { term: 1 },
      mayHaveHeardLeader: false,
      snapshot: { index: 0, term: 0 },
      logFirstIndex: 1,
      lastIndex: 1,
      runs: [{ firstIndex: 1, term: 1 }],
      configurations: [indexed(1, ['n1', 'n2', 'n3'])],
      now: 0,
      random: 0,
    },
    testTiming,
  )
  becomeLeader(state, 'for a test')
  const leadership = state.leadership!
  for (const peer of leadership.peers) {
    peer.matchIndex = 2
    peer.enterPipeline()
  }
  state.durableIndex = 2
  advanceCommit(state, leadership)
  state.effects = []
  return { state, leadership }
}

function append(state: State, leadership: Leadership, ids: readonly string[]): void {
  state.log.append(1, state.hardState.term)
  state.membership.append([indexed(state.log.lastIndex, ids)], state.log.lastIndex)
  followConfiguration(state, leadership)
}

test('a new server is probed from the end of the log, known ones go on as they were', () => {
  const { state, leadership } = leader()
  append(state, leadership, ['n1', 'n2', 'n3', 'n4'])
  expect(
    leadership.peers.map(({ server, state: at, nextIndex }) => [server.id, at, nextIndex]),
  ).toEqual([
    ['n2', 'pipeline', 3],
    ['n3', 'pipeline', 3],
    ['n4', 'probe', 4],
  ])
})

test('a new configuration has a new lease', () => {
  const { state, leadership } = leader()
  leadership.leaseCheckAt = 90
  state.now = 50
  append(state, leadership, ['n1', 'n2'])
  expect(leadership.leaseCheckAt).toBe(50)
})

test('a removed server is followed until it knows, without a say', () => {
  const { state, leadership } = leader()
  append(state, leadership, ['n1', 'n2'])
  expect(leadership.peers).toMatchObject([
    { server: { id: 'n2', suffrage: 'voter' }, departure: undefined },
    { server: { id: 'n3', suffrage: 'nonvoter' }, departure: { index: 3, deadline: Infinity } },
  ])
  expect(state.effects).toEqual([])
})

test('a server that moved is reached at its new address, and probed', () => {
  const { state, leadership } = leader()
  state.log.append(1, 2)
  const moved = { suffrage: 'voter', id: 'n2', address: 'elsewhere:2' } as const
  const [first, , third] = indexed(3, ['n1', 'n2', 'n3']).configuration.servers
  const configuration = { servers: [first!, moved, third!] }
  state.membership.append([{ index: 3, configuration }], 3)
  followConfiguration(state, leadership)
  expect(leadership.peers[0]).toMatchObject({
    server: moved,
    state: 'probe',
    matchIndex: 2,
    nextIndex: 3,
  })
  expect(state.effects).toEqual([{ type: 'drop-sends', peer: 'n2' }])
})

test('majorities are those of the new configuration from its append on', () => {
  const { state, leadership } = leader()
  append(state, leadership, ['n1', 'n2', 'n3', 'n4'])
  state.durableIndex = 3
  leadership.peers[0]!.matchIndex = 3
  advanceCommit(state, leadership)
  expect(state.commitIndex).toBe(2)
  leadership.peers[2]!.matchIndex = 3
  advanceCommit(state, leadership)
  expect(state.commitIndex).toBe(3)
})

test('a leader that removes itself leads until that is committed, without counting itself', () => {
  const { state, leadership } = leader()
  append(state, leadership, ['n2', 'n3'])
  state.durableIndex = 3
  leadership.peers[0]!.matchIndex = 3
  advanceCommit(state, leadership)
  expect([state.commitIndex, state.role]).toEqual([2, 'leader'])
  leadership.peers[1]!.matchIndex = 3
  advanceCommit(state, leadership)
  expect([state.commitIndex, state.role]).toEqual([3, 'follower'])
})
