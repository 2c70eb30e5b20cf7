import { expect, test } from 'vitest'
import type { Effect } from '@raftkit/raft-core/consensus'
import { all, LoneServer, only, success, type EffectOf } from '../lone-server.ts'

function beats(effects: readonly Effect[], id = 'n2'): readonly EffectOf<'send'>[] {
  return all(effects, 'send').filter(
    ({ to, request }) => to.id === id && request.type === 'heartbeat',
  )
}

function leader(): LoneServer {
  const server = new LoneServer({
    nonvoters: ['n4'],
    timing: { leaderLeaseTimeoutMs: 100_000, commitTimeoutMs: 100_000 },
  })
  server.leadAndCommit()
  return server
}

test('every other member gets one each tenth to fifth of the heartbeat timeout', () => {
  for (const random of [0, 0.999]) {
    const server = leader()
    server.random = random
    // The first at once: it tells the others that there is a leader.
    let effects: readonly Effect[] = server.turnAt(server.now + 20)
    const start = server.now
    for (const id of ['n2', 'n3', 'n4']) {
      const [beat] = beats(effects, id)
      expect(beat?.request).toEqual({ type: 'heartbeat', term: 2 })
      server.answered(beat!, success(2))
    }
    const interval = 10 * (1 + random)
    expect(beats(server.turnAt(start + interval - 0.01))).toEqual([])
    effects = server.turnAt(start + interval)
    expect(beats(effects)).toHaveLength(1)
  }
})

test('a slow answer does not stop them, a lost one neither, but there are three at most', () => {
  const server = leader()
  const start = server.now
  const sent: number[] = []
  for (let now = start + 10; now <= start + 400; now += 10)
    if (beats(server.turnAt(now)).length > 0) sent.push(now - start)
  // One is under way from the election; the next follow at twice the interval, then as the oldest is given up.
  expect(sent).toEqual([20, 40, 100, 120, 140, 200, 220, 240, 300, 320, 340, 400])
})

test('the first failure and the recovery are told, once each', () => {
  const server = leader()
  const [first] = beats(server.turnAt(server.now + 20))
  const failed = server.failed(first!)
  expect(only(failed, 'peer-contact-changed')).toEqual({
    type: 'peer-contact-changed',
    peer: 'n2',
    reachable: false,
  })
  const [second] = beats(server.turnAt(server.now + 20))
  expect(all(server.failed(second!), 'peer-contact-changed')).toEqual([])
  const [third] = beats(server.turnAt(server.now + 20))
  const back = server.answered(third!, success(2))
  expect(only(back, 'peer-contact-changed')).toMatchObject({ peer: 'n2', reachable: true })
})

test('the failure of an old one says nothing when a newer one was answered', () => {
  const server = leader()
  const [first] = beats(server.turnAt(server.now + 20))
  const [second] = beats(server.turnAt(server.now + 20))
  server.answered(second!, success(2))
  expect(all(server.failed(first!), 'peer-contact-changed')).toEqual([])
  const [third] = beats(server.turnAt(server.now + 20))
  expect(only(server.failed(third!), 'peer-contact-changed').reachable).toBe(false)
})

test('the failure of an old one says nothing when a newer one of the same moment was answered', () => {
  const server = leader()
  server.answered(beats(server.turnAt(server.now + 20))[0]!, success(2))
  const read = (readId: number): readonly Effect[] =>
    server.turn({ type: 'read-requested', readId, needsIndex: false })
  // Two rounds of one turn have one time.
  const effects = read(1)
  const [first] = beats(effects)
  server.answered(beats(effects, 'n3')[0]!, success(2))
  const [second] = beats(read(2))
  expect(second!.sendId).toBeGreaterThan(first!.sendId)
  server.answered(second!, success(2))
  const failed = server.failed(first!)
  expect(all(failed, 'peer-contact-changed')).toEqual([])
  expect(all(failed, 'heartbeat-failed')).toEqual([])
})

test('every failure is told, with the last contact', () => {
  const server = leader()
  const start = server.now
  const [first] = beats(server.turnAt(start + 20))
  server.answered(first!, success(2))
  for (const now of [start + 40, start + 60]) {
    const [beat] = beats(server.turnAt(now))
    expect(only(server.failed(beat!), 'heartbeat-failed')).toEqual({
      type: 'heartbeat-failed',
      peer: 'n2',
      lastContact: start + 20,
    })
  }
})

test('a peer that answers heartbeats again is sent entries at once', () => {
  const server = leader()
  const toN2 = (effects: readonly Effect[]): readonly EffectOf<'send-entries'>[] =>
    server.read(effects).filter(({ to }) => to.id === 'n2')
  let beat = beats(server.turnAt(server.now + 20))[0]!
  server.failed(beat)
  for (let failures = 0; failures < 5; failures++) {
    server.now += 60
    const effects = server.turn({ type: 'proposed', count: 1 })
    beat = beats(effects)[0]!
    for (const sent of toN2(effects)) server.failed(sent)
  }
  // The pause has not ended yet when the peer is back.
  expect(toN2(server.turn())).toEqual([])
  server.answered(beat, success(2))
  expect(toN2(server.turn())).toHaveLength(1)
})

test('an answer in a higher term ends leadership', () => {
  const server = leader()
  const [beat] = beats(server.turnAt(server.now + 20))
  server.answered(beat!, {
    ...success(5),
    type: 'append-entries',
    term: 5,
    success: false,
    lastLogIndex: 0,
    noRetryBackoff: false,
  })
  expect(server.status).toMatchObject({ role: 'follower', term: 5 })
})
