// Other times for a running server.
import { expect, test } from 'vitest'
import { testTiming } from './cluster/timing.ts'
import { all, LoneServer, only, success } from './lone-server.ts'

type Timing = Partial<typeof testTiming>

function change(server: LoneServer, timing: Timing): void {
  server.step({ type: 'timing-changed', timing: { ...testTiming, ...timing } })
}

test('a follower with a shorter timeout campaigns after that, counted from the change', () => {
  const server = new LoneServer()
  server.turnAt(10)
  change(server, { heartbeatTimeoutMs: 30 })
  expect(only(server.turn(), 'wake-at').time).toBe(40)
  expect(all(server.turnAt(39), 'role-changed')).toEqual([])
  expect(only(server.turnAt(40), 'role-changed').role).toBe('pre-candidate')
})

test('a follower with a longer timeout waits for that, counted from the change', () => {
  const server = new LoneServer()
  server.turnAt(90)
  change(server, { heartbeatTimeoutMs: 300, electionTimeoutMs: 300 })
  expect(all(server.turnAt(389), 'role-changed')).toEqual([])
  expect(only(server.turnAt(390), 'role-changed').role).toBe('pre-candidate')
})

test('a change of other times does not make a follower wait anew', () => {
  const server = new LoneServer()
  server.turnAt(90)
  change(server, { electionTimeoutMs: 300, commitTimeoutMs: 7 })
  expect(only(server.turnAt(100), 'role-changed').role).toBe('pre-candidate')
})

test('a campaign with another election timeout begins its next round after that', () => {
  const server = new LoneServer()
  server.turnAt(100)
  change(server, { heartbeatTimeoutMs: 20, electionTimeoutMs: 20 })
  expect(all(server.turnAt(119), 'send')).toEqual([])
  expect(all(server.turnAt(120), 'send').map(({ request }) => request.type)).toEqual([
    'request-pre-vote',
    'request-pre-vote',
  ])
})

test('a leader sends heartbeats at once, then at the new pace', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  for (const sent of all(server.turnAt(server.now + 50), 'send')) server.answered(sent, success(2))
  const beats = (now: number): number => {
    const sent = all(server.turnAt(now), 'send')
    for (const beat of sent) server.answered(beat, success(2))
    return sent.length
  }
  const start = server.now + 1
  expect(beats(start)).toBe(0)
  change(server, { heartbeatTimeoutMs: 50, leaderLeaseTimeoutMs: 50 })
  expect(beats(start)).toBe(2)
  expect(beats(start + 4)).toBe(0)
  expect(beats(start + 5)).toBe(2)
})

test('a leader with a shorter lease is not deposed by answers that were in time for the longer one', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  const start = server.now
  server.turnAt(start + 60)
  change(server, { heartbeatTimeoutMs: 30, leaderLeaseTimeoutMs: 30 })
  const beats = all(server.turnAt(start + 60), 'send')
  server.turnAt(start + 99)
  expect(server.status.role).toBe('leader')
  for (const beat of beats) server.answered(beat, success(2))
  // From then on the new lease counts, at the next look at it: nothing was answered since.
  server.turnAt(start + 100)
  expect(server.status.role).toBe('follower')
})

test('a longer lease holds at once', () => {
  const server = new LoneServer()
  server.leadAndCommit()
  const start = server.now
  change(server, { heartbeatTimeoutMs: 300, electionTimeoutMs: 300, leaderLeaseTimeoutMs: 300 })
  server.turnAt(start + 299)
  expect(server.status.role).toBe('leader')
  server.turnAt(start + 300)
  expect(server.status.role).toBe('follower')
})
