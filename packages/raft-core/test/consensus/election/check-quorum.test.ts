// A leader without a quorum steps down (dissertation §6.2).
import { expect, test } from 'vitest'
import { all, LoneServer, only, success } from '../lone-server.ts'

function leader(voters: readonly string[], nonvoters: readonly string[] = []): LoneServer {
  const server = new LoneServer({ voters, nonvoters })
  server.leadAndCommit()
  return server
}

/** Ends a turn, and the servers named answer the heartbeats of that turn after `delayMs`. */
function turnAnswered(server: LoneServer, now: number, ids: readonly string[], delayMs = 0): void {
  const sent = all(server.turnAt(now), 'send').filter(({ to }) => ids.includes(to.id))
  server.now += delayMs
  for (const beat of sent) server.answered(beat, success(2))
}

function lastsUntil(server: LoneServer, ids: readonly string[]): number {
  const start = server.now
  for (let now = start + 1; now < start + 500; now++) {
    turnAnswered(server, now, ids)
    if (server.status.role !== 'leader') return now - start
  }
  return Infinity
}

test('a leader needs the answers of a quorum of voters, nonvoters do not count', () => {
  expect(lastsUntil(leader(['n1', 'n2', 'n3']), ['n2'])).toBe(Infinity)
  expect(lastsUntil(leader(['n1', 'n2', 'n3']), [])).toBe(100)
  expect(lastsUntil(leader(['n1', 'n2', 'n3'], ['n4', 'n5']), ['n4', 'n5'])).toBe(100)
  expect(lastsUntil(leader(['n1', 'n2', 'n3', 'n4']), ['n2'])).toBe(100)
  expect(lastsUntil(leader(['n1', 'n2', 'n3', 'n4']), ['n2', 'n3'])).toBe(Infinity)
  expect(lastsUntil(leader(['n1', 'n2']), [])).toBe(100)
  expect(lastsUntil(leader(['n1']), [])).toBe(Infinity)
})

test('contact counts from when the answered request was sent', () => {
  const server = leader(['n1', 'n2'])
  const start = server.now
  // Sent at 20, answered at 90: the lease ends at 120, not at 190.
  turnAnswered(server, start + 20, ['n2'], 70)
  server.turnAt(start + 119)
  expect(server.status.role).toBe('leader')
  const effects = server.turnAt(start + 120)
  expect(only(effects, 'role-changed')).toMatchObject({
    role: 'follower',
    reason: 'no answer from a quorum within the lease',
  })
  expect(server.status).toMatchObject({ term: 2, leader: undefined })
})

test('answers to entries are contact as well, failed sends are not', () => {
  const server = leader(['n1', 'n2'])
  const start = server.now
  server.now += 60
  for (const sent of server.read(server.turn({ type: 'proposed', count: 1 })))
    server.answered(sent, success(2))
  server.turnAt(start + 159)
  expect(server.status.role).toBe('leader')
  for (const sent of server.read(server.turn({ type: 'proposed', count: 1 }))) server.failed(sent)
  server.turnAt(start + 160)
  expect(server.status.role).toBe('follower')
})

test('the time of a stall does not count against the quorum, the time after it does', () => {
  const server = leader(['n1', 'n2'])
  const start = server.now
  server.now += 90
  server.step({ type: 'stalled', forMs: 80 })
  server.turnAt(start + 179)
  expect(server.status.role).toBe('leader')
  server.turnAt(start + 180)
  expect(server.status.role).toBe('follower')
})

test('the time of a stall is added to the newest contact', () => {
  const server = leader(['n1', 'n2'])
  const start = server.now
  turnAnswered(server, start + 50, ['n2'])
  server.now = start + 140
  server.step({ type: 'stalled', forMs: 80 })
  server.turnAt(start + 229)
  expect(server.status.role).toBe('leader')
  server.turnAt(start + 230)
  expect(server.status.role).toBe('follower')
})

test('after an answer the time of an earlier stall is spent', () => {
  const server = leader(['n1', 'n2'])
  const start = server.now
  server.now += 50
  server.step({ type: 'stalled', forMs: 40 })
  turnAnswered(server, start + 60, ['n2'])
  server.turnAt(start + 159)
  expect(server.status.role).toBe('leader')
  server.turnAt(start + 160)
  expect(server.status.role).toBe('follower')
})

test('a long stall ends leadership at once', () => {
  const server = leader(['n1', 'n2', 'n3'])
  server.now += 200
  const effects = server.step({ type: 'stalled', forMs: 200 })
  expect(only(effects, 'role-changed').reason).toBe('the event loop stood still for 200 ms')
})
