import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
beforeEach(async () => {
  cluster = await TestCluster.start()
  leader = await cluster.leader()
})
afterEach(() => cluster.stop())

describe('a command whose caller stops waiting', () => {
  it('is withdrawn when it was not appended yet', async () => {
    const abort = new AbortController()
    const aborted = rejection(leader.raft.apply(bytesOf('gone'), { signal: abort.signal }))
    abort.abort()
    expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'not-committed' })
    await cluster.clock.wait(leader.raft.apply(bytesOf('next')))
    expect(leader.machine.texts).toEqual(['next'])
  })

  it('may take effect all the same once it was appended, and the error says so', async () => {
    for (const { store } of cluster.members) store.hang()
    const timedOut = rejection(leader.raft.apply(bytesOf('late'), { timeoutMs: 20 }))
    await cluster.clock.advance(25)
    expect(await timedOut).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    for (const { store } of cluster.members) store.release()
    await cluster.clock.until(() => leader.machine.texts.includes('late'))
  })

  it.each([-1, 0])('is refused a timeout of %d', async (timeoutMs) => {
    const refused = await rejection(leader.raft.apply(bytesOf('x'), { timeoutMs }))
    expect(refused.code).toBe('RAFT_INVALID_ARGUMENT')
  })
})

describe('every call that waits', () => {
  const calls: readonly [string, (member: Member, signal: AbortSignal) => Promise<unknown>][] = [
    ['apply', ({ raft }, signal) => raft.apply(bytesOf('x'), { signal })],
    ['barrier', ({ raft }, signal) => raft.barrier({ signal })],
    ['verifyLeader', ({ raft }, signal) => raft.verifyLeader({ signal })],
    ['readIndex', ({ raft }, signal) => raft.readIndex({ signal })],
    ['read', ({ raft }, signal) => raft.read(() => 1, { signal })],
    ['transferLeadership', ({ raft }, signal) => raft.transferLeadership(undefined, { signal })],
    ['snapshot', ({ raft }, signal) => raft.snapshot({ signal })],
  ]

  it.each(calls)('%s can be aborted', async (_, call) => {
    cluster.network.isolate(leader.id)
    const abort = new AbortController()
    const aborted = rejection(call(leader, abort.signal))
    abort.abort()
    expect((await aborted).code).toBe('RAFT_ABORTED')
  })

  it.each(calls)('%s is refused after a shutdown', async (_, call) => {
    await cluster.kill(leader)
    expect((await rejection(call(leader, new AbortController().signal))).code).toBe('RAFT_SHUTDOWN')
  })
})

describe('barrier', () => {
  it('resolves when everything before it is applied', async () => {
    void leader.raft.apply(bytesOf('before'))
    const { index } = await cluster.clock.wait(leader.raft.barrier())
    expect(leader.machine.texts).toEqual(['before'])
    expect(leader.raft.appliedIndex).toBe(index)
  })
})
