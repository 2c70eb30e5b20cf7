// Defects of hashicorp/raft in replication, snapshots and storage, by their number in its issue tracker.
import { LogType } from '@raftkit/interface'
import { encodeEntries } from '@raftkit/wire'
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster, type ClusterOptions } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

const command = (text: string) => ({ type: LogType.command, data: bytesOf(text) })

describe('#697: an installed snapshot keeps a conflicting suffix and a stale last index', () => {
  it('drops the whole log when its entry at the snapshot has another term', async () => {
    await start({ config: { trailingLogs: 0 } })
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    for (const text of ['1', '2', '3', '4', '5'])
      await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    const { index } = await cluster.clock.wait(leader.raft.snapshot())
    // The follower's log goes on with entries of a term that nobody else has, beyond the snapshot.
    const { lastIndex } = await follower!.data.bounds()
    const divergent = Array.from({ length: 20 }, (_, at) => command(`wrong ${at}`))
    await follower!.data.append([encodeEntries(lastIndex + 1, 1, divergent)])
    const term = leader.raft.currentTerm
    await follower!.data.truncateSuffix(2)
    await follower!.data.append([encodeEntries(2, 1, divergent)])
    await cluster.restart(follower!)
    let installs = 0
    follower!.raft.on('snapshot-installed', () => installs++)
    await cluster.clock.wait(leader.raft.apply(bytesOf('after')))
    await cluster.converged('after')
    await cluster.clock.advance(2000)
    expect(installs).toBe(1)
    expect(follower!.machine.texts).toEqual(leader.machine.texts)
    expect(await follower!.data.bounds()).toEqual({ firstIndex: index + 1, lastIndex: index + 1 })
    expect(follower!.raft.stats()).toMatchObject({ lastLogIndex: index + 1, lastLogTerm: term })
  })

  it('keeps the entries after the snapshot when the log agrees with it', async () => {
    await start({ config: { trailingLogs: 0 } })
    for (const text of ['1', '2', '3']) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    await cluster.converged('3')
    await cluster.clock.wait(leader.raft.snapshot())
    await cluster.clock.wait(leader.raft.apply(bytesOf('4')))
    await cluster.converged('4')
    for (const { machine } of cluster.members) expect(machine.texts).toEqual(['1', '2', '3', '4'])
  })
})

describe('#503, #666, #614: the disk of the leader hangs while its heartbeats go on', () => {
  it('gives leadership up, and does not win it back with the same disk', async () => {
    await start()
    leader.store.hang()
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    const next = await cluster.leader(cluster.others(leader))
    for (let count = 0; count < 5; count++) {
      await cluster.clock.wait(next.raft.apply(bytesOf(`y${count}`)))
      await cluster.clock.advance(400)
      expect(leader.raft.state).not.toBe('leader')
    }
    leader.store.release()
    await cluster.converged('y4')
  })
})

describe('#612, #611: a refused pipelined request stops replication for good', () => {
  it('a follower that refuses in the middle of a pipeline is caught up again', async () => {
    await start()
    const [follower] = cluster.others(leader)
    let refusals = 5
    const stop = cluster.network.intercept(({ to, kind, message }) => {
      if (to !== follower!.id || kind !== 'request' || !('entries' in message)) return undefined
      if ((message.entries?.length ?? 0) === 0 || refusals === 0) return undefined
      refusals--
      return 'drop'
    })
    const results = Array.from({ length: 200 }, (_, at) => leader.raft.apply(bytesOf(`c${at}`)))
    await cluster.clock.wait(Promise.all(results))
    await cluster.converged('c199')
    stop()
    expect(refusals).toBe(0)
    expect(follower!.machine.texts).toHaveLength(200)
  })
})

describe('#498, #145: a future that never resolves', () => {
  it('every promise settles when the quorum is gone for good', async () => {
    await start()
    for (const member of cluster.others(leader)) await cluster.kill(member)
    const waiting = [
      rejection(leader.raft.apply(bytesOf('x'))),
      rejection(leader.raft.barrier()),
      rejection(leader.raft.verifyLeader()),
      rejection(leader.raft.readIndex()),
      rejection(leader.raft.transferLeadership()),
    ]
    await cluster.clock.advance(2000)
    const errors = await Promise.all(waiting)
    expect(errors.map(({ code }) => code)).toEqual([
      'RAFT_LEADERSHIP_LOST',
      'RAFT_LEADERSHIP_LOST',
      'RAFT_LEADERSHIP_LOST',
      'RAFT_LEADERSHIP_LOST',
      expect.stringMatching(/^RAFT_LEADERSHIP_/),
    ])
  })

  it('the timeout is that of the result, not only of the way into a queue', async () => {
    await start({ config: { leaderLeaseTimeoutMs: 100 } })
    for (const { store } of cluster.others(leader)) store.hang()
    const from = cluster.clock.now()
    const error = await cluster.clock.wait(
      rejection(leader.raft.apply(bytesOf('x'), { timeoutMs: 30 })),
    )
    expect(error).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    expect(cluster.clock.now() - from).toBeLessThan(40)
    for (const { store } of cluster.members) store.release()
  })
})

describe('#268, #312: shutdown hangs', () => {
  it('ends although a peer never answers, and a snapshot is on its way to it', async () => {
    await start({ config: { trailingLogs: 0 } })
    const [follower] = cluster.others(leader)
    await cluster.kill(follower!)
    await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
    await cluster.clock.wait(leader.raft.snapshot())
    await cluster.restart(follower!)
    follower!.clock.stall()
    await cluster.clock.until(() => leader.raft.stats().activeSnapshotSends > 0)
    const from = cluster.clock.now()
    await cluster.clock.wait(leader.raft.shutdown())
    expect(cluster.clock.now() - from).toBeLessThan(100)
    follower!.clock.resume()
  })

  it('ends although the state machine hangs', async () => {
    await start()
    leader.machine.snapshot = () => ({ persist: () => new Promise(() => {}) })
    void leader.raft.snapshot().catch(() => {})
    await cluster.clock.settle()
    await cluster.clock.wait(leader.raft.shutdown({ timeoutMs: 300 }), 400)
    expect(leader.raft.state).toBe('stopped')
  })
})

describe('#617: a snapshot is refused because the configuration is not applied yet', () => {
  it('is possible right after the start, without any command', async () => {
    await start()
    const meta = await cluster.clock.wait(leader.raft.snapshot())
    expect(meta).toMatchObject({ index: 2, configurationIndex: 1 })
  })
})

describe('#85, #429: "log not found" stops the process', () => {
  it('a gap between snapshot and log is an error at the start, with advice', async () => {
    await start()
    const [follower] = cluster.others(leader)
    for (const text of ['1', '2', '3']) await cluster.clock.wait(leader.raft.apply(bytesOf(text)))
    await cluster.converged('3')
    await cluster.kill(follower!)
    await follower!.data.truncatePrefix(2)
    const refused = await rejection(cluster.restart(follower!))
    expect(refused.code).toBe('RAFT_LOG_GAP')
    expect(refused.message).toContain('entries are missing')
  })
})

describe('GetConfiguration().Index() is always 0', () => {
  it('tells the index of the entry', async () => {
    await start()
    expect(leader.raft.configuration()).toMatchObject({ index: 1, committedIndex: 1 })
    expect(leader.raft.stats().latestConfigurationIndex).toBe(1)
  })
})

describe('errors of pipelined requests count as contact', () => {
  it('a leader whose followers only refuse loses its lease', async () => {
    await start()
    cluster.network.intercept(({ from, kind, message }) =>
      from !== leader.id && kind === 'response' && message.type === 'append-entries'
        ? 'drop'
        : undefined,
    )
    await cluster.clock.until(() => leader.raft.state !== 'leader', 1000)
    expect(leader.raft.state).not.toBe('leader')
  })
})
