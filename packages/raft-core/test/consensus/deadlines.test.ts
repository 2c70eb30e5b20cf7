// Time: what is due, what a stall moves, and the wish to be woken.
import { expect, test } from 'vitest'
import type { Effect } from '@raftkit/raft-core/consensus'
import { all, LoneServer, only, success } from './lone-server.ts'

test('the first wish is for the election timeout', () => {
  const server = new LoneServer({ random: 0.5 })
  expect(server.turn()).toEqual([{ type: 'wake-at', time: 150 }])
  expect(server.turn()).toEqual([])
})

test('a wish is made anew when it has come, and only brought forward before', () => {
  const server = new LoneServer()
  server.turn()
  server.now = 60
  server.heartbeat(1)
  // The deadline moved to 160; the wish for 100 still stands.
  expect(server.turn()).toEqual([])
  expect(server.turnAt(100)).toEqual([{ type: 'wake-at', time: 160 }])
})

test('there is always a wish in the future', () => {
  const server = new LoneServer({ timing: { leaderLeaseTimeoutMs: 1000 } })
  let wish = 0
  const note = (effects: readonly Effect[]): void => {
    wish = all(effects, 'wake-at').at(-1)?.time ?? wish
    expect(wish).toBeGreaterThan(server.now)
  }
  note(server.turn())
  server.now = 200
  for (const sent of server.lead()) server.answered(sent, success(2))
  note(server.turn({ type: 'proposed', count: 1 }))
  server.step({ type: 'transfer-requested', transferId: 1, target: 'n2' })
  for (let count = 0; count < 500 && server.status.role === 'leader'; count++) {
    server.now = wish
    note(server.turn())
  }
  expect(server.status.role).not.toBe('leader')
})

test('a stall moves election timeouts by as much', () => {
  const server = new LoneServer()
  server.now = 100
  server.step({ type: 'stalled', forMs: 70 })
  expect(all(server.turn(), 'role-changed')).toEqual([])
  expect(all(server.turnAt(169), 'role-changed')).toEqual([])
  expect(only(server.turnAt(170), 'role-changed').role).toBe('pre-candidate')
})

test('a follower that may not campaign forgets a silent leader and goes on waiting', () => {
  const server = new LoneServer({ id: 'n4', nonvoters: ['n4'] })
  server.heartbeat(1)
  const effects = server.turnAt(100)
  expect(only(effects, 'leader-changed')).toEqual({ type: 'leader-changed', term: 1 })
  expect(only(effects, 'wake-at').time).toBe(200)
})
