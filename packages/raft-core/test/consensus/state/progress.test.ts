import { expect, test } from 'vitest'
import { Progress } from '../../../src/consensus/state/progress.ts'

function peer(): Progress {
  return new Progress({ suffrage: 'voter', id: 'n2', address: 'n2:1' }, 10, 0)
}

function send(progress: Progress, sendId: number, prevLogIndex: number, lastIndex: number): void {
  progress.sent({
    sendId,
    prevLogIndex,
    lastIndex,
    bytes: 100,
    leaderCommit: 0,
    sentAt: 0,
    round: 0,
  })
}

test('next index is always beyond match index', () => {
  const progress = peer()
  progress.matchIndex = 20
  progress.enterProbe(3)
  expect(progress.nextIndex).toBe(21)
  progress.nextIndex = 3
  progress.enterPipeline()
  expect(progress.nextIndex).toBe(21)
})

test('a pipeline goes on from what was sent, a probe stays', () => {
  const progress = peer()
  send(progress, 1, 9, 12)
  expect(progress.nextIndex).toBe(10)
  progress.enterPipeline()
  send(progress, 2, 12, 15)
  expect(progress.nextIndex).toBe(16)
})

test('an answer frees its own place, a success also those before it', () => {
  const progress = peer()
  for (const sendId of [1, 2, 3, 4]) send(progress, sendId, sendId, sendId + 1)
  expect(progress.takeAppend(2, false)?.sendId).toBe(2)
  expect(progress.takeAppend(2, false)).toBeUndefined()
  expect([progress.inflight.length, progress.inflightBytes]).toEqual([3, 300])
  expect(progress.takeAppend(3, true)?.sendId).toBe(3)
  expect(progress.inflight.map(({ sendId }) => sendId)).toEqual([4])
  expect(progress.inflightBytes).toBe(100)
})

test('a new search ends everything that is under way, heartbeats excepted', () => {
  const progress = peer()
  send(progress, 1, 9, 12)
  progress.readId = 7
  progress.heartbeats.push({ sendId: 2, sentAt: 0, round: 1 })
  progress.enterProbe(5)
  expect(progress).toMatchObject({ inflight: [], inflightBytes: 0, readId: 0, nextIndex: 5 })
  expect(progress.takeHeartbeat(2)?.round).toBe(1)
})

test('contact and rounds only go forward', () => {
  const progress = peer()
  progress.contact(50, 3)
  progress.contact(40, 2)
  expect([progress.lastContact, progress.ackedRound]).toEqual([50, 3])
})
