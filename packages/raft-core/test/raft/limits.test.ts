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

describe('the limits of a server', () => {
  it('refuse a command that is too large', async () => {
    await start({ config: { maxCommandBytes: 1000 } })
    const refused = await rejection(leader.raft.apply(new Uint8Array(1001)))
    expect(refused).toMatchObject({
      code: 'RAFT_COMMAND_TOO_LARGE',
      outcome: 'not-committed',
      retryable: false,
      details: { size: 1001, maxCommandBytes: 1000 },
    })
    await cluster.clock.wait(leader.raft.apply(new Uint8Array(1000).fill(65)))
  })

  it('refuse commands beyond a number, and whenAdmitted tells when there is room', async () => {
    await start({ config: { maxPendingProposals: 10 } })
    const admitted = Array.from({ length: 10 }, () => leader.raft.apply(bytesOf('x')))
    const refused = await rejection(leader.raft.apply(bytesOf('y')))
    expect(refused).toMatchObject({
      code: 'RAFT_OVERLOADED',
      retryable: true,
      outcome: 'not-committed',
    })
    let isOpen = false
    const open = leader.raft.whenAdmitted().then(() => (isOpen = true))
    expect(isOpen).toBe(false)
    await cluster.clock.wait(Promise.all(admitted))
    await open
    await cluster.clock.wait(leader.raft.apply(bytesOf('z')))
  })

  // Found by the simulator: a follower with a smaller maxPendingProposals refused its leader's appends for ever.
  it('of callers do not limit what a leader may send', async () => {
    await start()
    const [follower, other] = cluster.others(leader)
    await cluster.kill(other!)
    const sent = Array.from({ length: 50 }, () => leader.raft.apply(bytesOf('x')))
    await cluster.restart(follower!, {
      maxPendingProposals: 1,
      maxPendingBytes: 1024,
      maxCommandBytes: 1024,
    })
    sent.push(...Array.from({ length: 50 }, () => leader.raft.apply(new Uint8Array(1000))))
    expect(await cluster.clock.wait(Promise.all(sent))).toHaveLength(100)
  })

  it('hold against a cut-off leader that takes command after command', async () => {
    await start({ config: { maxPendingBytes: 10_000, maxCommandBytes: 1000 } })
    cluster.network.isolate(leader.id)
    const outcomes = Array.from({ length: 100 }, () =>
      rejection(leader.raft.apply(new Uint8Array(900))),
    )
    expect(leader.raft.stats().pendingProposalBytes).toBeLessThanOrEqual(10_000)
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    const codes = (await Promise.all(outcomes)).map(({ code }) => code)
    expect(codes.filter((code) => code === 'RAFT_LEADERSHIP_LOST')).toHaveLength(10)
    expect(codes.filter((code) => code === 'RAFT_OVERLOADED')).toHaveLength(90)
  })

  it('let a caller through who always waits for admission', async () => {
    await start({ config: { maxPendingProposals: 8 } })
    const done: Promise<unknown>[] = []
    for (let count = 0; count < 100; count++) {
      await cluster.clock.wait(leader.raft.whenAdmitted())
      done.push(leader.raft.apply(bytesOf(`${count}`)))
    }
    await cluster.clock.wait(Promise.all(done))
    expect(leader.machine.texts).toHaveLength(100)
  })

  it('end a wait for admission when leadership goes', async () => {
    await start({ config: { maxPendingProposals: 1 } })
    cluster.network.isolate(leader.id)
    void leader.raft.apply(bytesOf('x')).catch(() => {})
    const refused = rejection(leader.raft.whenAdmitted())
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect((await refused).code).toBe('RAFT_NOT_LEADER')
  })

  it('refuse what is not bytes', async () => {
    await start()
    const refused = await rejection(leader.raft.apply('text' as never))
    expect(refused.code).toBe('RAFT_INVALID_ARGUMENT')
  })
})

describe('the bytes of a command', () => {
  it('may be changed as soon as apply returns', async () => {
    await start()
    const data = bytesOf('mine')
    const applied = leader.raft.apply(data)
    data.fill(0)
    await cluster.clock.wait(applied)
    expect(leader.machine.texts).toEqual(['mine'])
  })

  it('reach every state machine with what travels beside them', async () => {
    await start()
    const extensions: string[] = []
    for (const { machine } of cluster.members)
      machine.beforeApply = (entry) =>
        void extensions.push(new TextDecoder().decode(entry.extensions))
    await cluster.clock.wait(
      leader.raft.applyLog({ data: bytesOf('x'), extensions: bytesOf('beside') }),
    )
    await cluster.converged('x')
    expect(extensions).toEqual(['beside', 'beside', 'beside'])
  })
})
