// How a leader finds where a peer's log agrees with its own, and how long it waits for one that does not answer (§5.3).
import { expect, test } from 'vitest'
import type { ConsensusTiming, Effect, PeerStatus } from '@raftkit/raft-core/consensus'
import {
  all,
  LoneServer,
  mismatch,
  success,
  type EffectOf,
  type LoneOptions,
} from '../lone-server.ts'

function peerOf(server: LoneServer, id = 'n2'): PeerStatus {
  return server.status.peers.find((peer) => peer.id === id)!
}

/** The one AppendEntries to n2 among the effects, its entries read. */
function toN2(server: LoneServer, effects: readonly Effect[]): readonly EffectOf<'send-entries'>[] {
  return server.read(effects).filter(({ to }) => to.id === 'n2')
}

function leader(timing: Partial<ConsensusTiming> = {}, options: LoneOptions = {}): LoneServer {
  const server = new LoneServer({ ...options, timing })
  server.leadAndCommit()
  return server
}

function propose(server: LoneServer, count: number): readonly Effect[] {
  return server.turn({ type: 'proposed', count })
}

test('next index after a mismatch', () => {
  // The leader's log: terms of entries 1.. and its no-op of term 6 at the end.
  const cases = [
    {
      name: 'the peer is short',
      log: [1, 1, 1, 1, 1],
      answer: mismatch(6, 2, { term: 0, firstIndex: 3 }),
      next: 3,
    },
    { name: 'the peer is short, no hint', log: [1, 1, 1, 1, 1], answer: mismatch(6, 2), next: 3 },
    {
      name: 'another term',
      log: [1, 2, 2, 5, 5],
      answer: mismatch(6, 9, { term: 3, firstIndex: 4 }),
      next: 4,
    },
    {
      name: 'another term that began earlier',
      log: [1, 2, 2, 5, 5],
      answer: mismatch(6, 9, { term: 3, firstIndex: 3 }),
      next: 3,
    },
    {
      name: 'a term that the leader has too',
      log: [1, 4, 4, 5, 5],
      answer: mismatch(6, 9, { term: 4, firstIndex: 2 }),
      next: 4,
    },
    {
      name: 'a term that the leader has, but only before',
      log: [1, 4, 5, 5, 5],
      answer: mismatch(6, 9, { term: 4, firstIndex: 4 }),
      next: 3,
    },
    { name: 'no hint: one step back', log: [1, 2, 2, 5, 5], answer: mismatch(6, 9), next: 5 },
    {
      name: 'nothing in common',
      log: [5, 5, 5, 5, 5],
      answer: mismatch(6, 9, { term: 1, firstIndex: 1 }),
      next: 1,
    },
  ]
  for (const { name, log, answer, next } of cases) {
    const server = new LoneServer({ log, hardState: { term: 5 } })
    const [sent] = server.lead()
    server.answered(sent!, answer)
    expect([name, peerOf(server).nextIndex]).toEqual([name, next])
    // It is tried at once.
    expect([name, toN2(server, server.turn()).map(({ prevLogIndex }) => prevLogIndex)]).toEqual([
      name,
      [next - 1],
    ])
  }
})

test('next index never falls to what the peer has acknowledged', () => {
  const server = leader()
  const [sent] = toN2(server, propose(server, 1))
  server.answered(sent!, mismatch(2, 0, { term: 0, firstIndex: 1 }))
  expect(peerOf(server)).toMatchObject({ state: 'probe', matchIndex: 2, nextIndex: 3 })
  // The peer has lost what it acknowledged: no tight loop, a pause.
  expect(toN2(server, server.turn())).toEqual([])
  expect(toN2(server, server.turnAt(server.now + 10))).toHaveLength(1)
})

test('refusals of what was sent before the peer was probed again do not count', () => {
  const server = leader({ maxAppendEntries: 1 })
  const [first, second] = toN2(server, propose(server, 2))
  server.answered(first!, mismatch(2, 2))
  const { nextIndex } = peerOf(server)
  server.answered(second!, mismatch(2, 1))
  expect(peerOf(server).nextIndex).toBe(nextIndex)
})

test('a peer that refuses for another reason is left alone for a while', () => {
  const server = leader()
  const [sent] = toN2(server, propose(server, 1))
  const busy = { ...mismatch(2, 2), noRetryBackoff: false }
  server.answered(sent!, busy)
  expect(peerOf(server)).toMatchObject({ state: 'probe', nextIndex: 3 })
  expect(toN2(server, server.turn())).toEqual([])
})

test('pauses double from 10 ms to half of the heartbeat timeout; probes in between are bare', () => {
  const server = leader({ leaderLeaseTimeoutMs: 100_000 })
  let [sent] = toN2(server, propose(server, 1))
  const pauses: number[] = []
  for (let count = 0; count < 5; count++) {
    server.failed(sent!)
    const failedAt = server.now
    for (sent = undefined; sent === undefined; server.now++) [sent] = toN2(server, server.turn())
    pauses.push(server.now - 1 - failedAt)
    server.now--
    expect(sent).not.toHaveProperty('readId')
  }
  expect(pauses).toEqual([10, 20, 40, 50, 50])
  server.answered(sent!, success(2))
  const [resumed] = toN2(server, server.turn())
  expect(resumed).toMatchObject({ lane: 'pipeline' })
  expect(resumed).toHaveProperty('readId')
})

test('a failed request sends the peer back to what it has acknowledged', () => {
  const server = leader({ maxAppendEntries: 1 })
  const [, second] = toN2(server, propose(server, 3))
  server.failed(second!)
  expect(peerOf(server)).toMatchObject({
    state: 'probe',
    matchIndex: 2,
    nextIndex: 3,
    inflightAppends: 0,
    inflightBytes: 0,
  })
})

test('entries that the store cannot give are asked for again after a pause', () => {
  const server = leader()
  const { readId } = all(propose(server, 1), 'read-entries')[0]!
  server.step({ type: 'entries-unavailable', peer: 'n2', readId, reason: 'failed' })
  expect(toN2(server, server.turn())).toEqual([])
  expect(toN2(server, server.turnAt(server.now + 10))).toHaveLength(1)
})

test('a probe that was lost without an error is given up when later heartbeats were answered', () => {
  const server = leader({ leaderLeaseTimeoutMs: 100_000 })
  server.failed(toN2(server, propose(server, 1))[0]!)
  const [lost] = toN2(server, server.turnAt(server.now + 10))
  const sentAt = server.now
  const beat = (now: number): readonly EffectOf<'send-entries'>[] => {
    const effects = server.turnAt(now)
    for (const sent of all(effects, 'send')) server.answered(sent, success(2))
    return toN2(server, effects)
  }
  for (let after = 10; after < 100; after += 10) expect(beat(sentAt + after)).toEqual([])
  expect(beat(sentAt + 100)).toEqual([])
  // After the pause that follows every failure it is tried again.
  const [again] = [...beat(sentAt + 110), ...beat(sentAt + 120), ...beat(sentAt + 130)]
  expect(again).toMatchObject({ lane: 'probe', prevLogIndex: lost!.prevLogIndex })
  // The late answer proves nothing any more, and its failure costs nothing.
  server.answered(lost!, success(2))
  server.failed(lost!)
  expect(peerOf(server)).toMatchObject({ state: 'probe', inflightAppends: 1 })
  server.answered(again!, success(2))
  expect(peerOf(server).state).toBe('pipeline')
})

test('a probe is waited for as long as nothing newer was answered', () => {
  const server = leader({ leaderLeaseTimeoutMs: 100_000 })
  server.failed(toN2(server, propose(server, 1))[0]!)
  expect(toN2(server, server.turnAt(server.now + 10))).toHaveLength(1)
  for (let count = 0; count < 30; count++)
    expect(toN2(server, server.turnAt(server.now + 10))).toEqual([])
})

test('a peer that refuses entries and takes bare probes is tried at longer and longer pauses', () => {
  const server = leader({ leaderLeaseTimeoutMs: 100_000 })
  const refusals: number[] = []
  let sent = toN2(server, propose(server, 1))
  for (const end = server.now + 300; server.now < end;) {
    for (const request of sent) {
      const hasEntries = request.readId !== undefined
      if (hasEntries) refusals.push(server.now)
      const refusal = { ...mismatch(2, 2), noRetryBackoff: false }
      server.answered(request, hasEntries ? refusal : success(2))
    }
    if (sent.length === 0) server.now++
    sent = toN2(server, server.turn())
  }
  const pauses = refusals.slice(1).map((time, at) => time - refusals[at]!)
  expect(pauses).toEqual([10, 20, 40, 50, 50, 50, 50])
})

test('entries that were taken end the pauses', () => {
  const server = leader({ leaderLeaseTimeoutMs: 100_000 })
  let [sent] = toN2(server, propose(server, 1))
  for (let count = 0; count < 3; count++) {
    server.failed(sent!)
    for (sent = undefined; sent === undefined; server.now++) [sent] = toN2(server, server.turn())
  }
  server.answered(sent!, success(2))
  const [entries] = toN2(server, server.turn())
  server.answered(entries!, success(2, 3))
  server.failed(toN2(server, propose(server, 1))[0]!)
  expect(toN2(server, server.turnAt(server.now + 10))).toHaveLength(1)
})
