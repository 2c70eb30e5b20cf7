import type { RaftError } from '@raftkit/interface'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { DEFAULT_SESSION_LIMITS, type Leadership } from '../src/index.ts'
import { calm, eventually, InmemCluster } from './inmem-cluster.ts'
import { encodeSessionHeader } from '../src/sessions/session-header.ts'
import { ledger } from './ledger.ts'

let cluster: InmemCluster

afterEach(async () => {
  await cluster.stop()
})

describe('RaftNode', () => {
  it('applies commands and answers queries from every node', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const nodes = [...cluster.nodes.values()]
    for (const [i, node] of nodes.entries())
      expect(await node.apply(`from ${node.address}`)).toEqual({ position: i + 1 })
    const all = nodes.map((node) => `from ${node.address}`)
    for (const node of nodes) expect(await node.query('all')).toEqual(all)
  })

  it('reads its own writes through any other node', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const [one, two] = cluster.followers
    for (let i = 0; i < 20; i += 1) {
      await one!.apply(`command ${i}`)
      expect(await two!.query('all')).toHaveLength(i + 1)
    }
  })

  it('takes many commands at once, each applied once', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const nodes = [...cluster.nodes.values()]
    const commands = Array.from({ length: 600 }, (_, i) => `command ${i}`)
    const added = await Promise.all(commands.map((command, i) => nodes[i % 3]!.apply(command)))
    expect(new Set(added.map(({ position }) => position)).size).toBe(600)
    expect([...(await nodes[0]!.query('all'))].sort()).toEqual(commands.sort())
  })

  it('knows who leads', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const { leader, followers } = cluster
    expect(leader.leaderAddress).toBe(leader.address)
    for (const node of followers) expect(node.leaderAddress).toBe(leader.address)
    expect(leader.id).toBe(leader.address)
  })

  it('gives the leader’s errors to the caller on a follower, with everything in them', async () => {
    cluster = await InmemCluster.start(3, { config: { ...calm, maxCommandBytes: 100 } })
    const failures = await Promise.all(
      [cluster.leader, cluster.followers[0]!].map((node) =>
        node.apply('x'.repeat(200)).then(
          () => undefined,
          (error: unknown) => error as RaftError,
        ),
      ),
    )
    for (const error of failures)
      expect(error).toMatchObject({
        code: 'RAFT_COMMAND_TOO_LARGE',
        outcome: 'not-committed',
        retryable: false,
      })
    expect(failures[1]!.message).toBe(failures[0]!.message)
    for (const node of cluster.nodes.values())
      await expect(node.query('fail')).rejects.toMatchObject({
        code: 'RAFT_READ_FAILED',
        message: expect.stringContaining('asked to fail') as string,
      })
  })

  it('answers a command that no server can decode, and goes on', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    for (const node of cluster.nodes.values()) {
      const fromJavaScript: { apply(command: never): Promise<unknown> } = node
      await expect(fromJavaScript.apply(5 as never)).rejects.toMatchObject({
        code: 'RAFT_DECODE_FAILED',
        outcome: 'not-committed',
      })
    }
    expect(await cluster.leader.apply('fine')).toEqual({ position: 1 })
  })

  it('says that there is no leader when a majority is gone', async () => {
    cluster = await InmemCluster.start(3)
    const [lonely, other] = cluster.followers
    const { leader } = cluster
    cluster.network.partition([lonely!.address], [other!.address, leader.address])
    await eventually(lonely!, () => lonely!.leaderAddress === undefined)
    await expect(lonely!.apply('x', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'RAFT_NO_LEADER',
      outcome: 'not-committed',
      retryable: true,
    })
    await expect(lonely!.whenReady({ timeoutMs: 50 })).rejects.toMatchObject({
      code: 'RAFT_NO_LEADER',
    })
    expect(await lonely!.query('all', { consistency: 'stale' })).toEqual([])
    cluster.network.heal()
    expect(await lonely!.apply('after the partition')).toEqual({ position: 1 })
  })

  it('has a command applied once although its answer was lost', async () => {
    cluster = await InmemCluster.start(3)
    const { leader } = cluster
    const follower = cluster.followers[0]!
    await follower.apply('before')
    const forward = vi.spyOn(follower.raft, 'forwardToLeader')
    const applied = vi.spyOn(leader.raft, 'applyLog')
    cluster.network.cutOneWay(leader.address, follower.address)
    const answer = follower.apply('once', { timeoutMs: 20_000 })
    await vi.waitFor(() => expect(applied).toHaveBeenCalled())
    await applied.mock.results[0]!.value
    cluster.network.heal()
    expect(await answer).toEqual({ position: 2 })
    expect(forward.mock.calls.length).toBeGreaterThan(1)
    expect(await follower.query('all')).toEqual(['before', 'once'])
  })

  it('sends plain commands when it is told to, and understands the sessions of others', async () => {
    cluster = new InmemCluster(3)
    const [plain, ...others] = cluster.addresses
    await Promise.all([
      cluster.startNode(plain!, { config: calm, sessions: false }),
      ...others.map((address) => cluster.startNode(address, { config: calm })),
    ])
    await cluster.ready()
    const before = cluster.leader.raft.lastIndex
    await cluster.nodes.get(plain!)!.apply('plain')
    expect(cluster.leader.raft.lastIndex).toBe(before + 1)
    await cluster.nodes.get(others[0]!)!.apply('of a session')
    expect(cluster.leader.raft.lastIndex).toBe(before + 3)
    for (const node of cluster.nodes.values())
      expect(await node.query('all')).toEqual(['plain', 'of a session'])
  })

  it('keeps sessions over a restart from a snapshot', async () => {
    cluster = await InmemCluster.start(1)
    const { leader } = cluster
    const header = (type: 'register' | 'command'): Uint8Array =>
      type === 'register'
        ? encodeSessionHeader({ type, nonce: 5, limits: DEFAULT_SESSION_LIMITS })
        : encodeSessionHeader({ type, session, nonce: 5, sequence: 1, answeredBelow: 1 })
    const none = new Uint8Array(0)
    const opened = await leader.raft.applyLog({ data: none, extensions: header('register') })
    const session = opened.index
    const command = { data: ledger().encodeCommand('once'), extensions: header('command') }
    const { response } = await leader.raft.applyLog(command)
    await leader.raft.snapshot()
    await leader.stop()
    const again = await cluster.startNode(leader.address)
    await again.whenReady()
    expect((await again.raft.applyLog(command)).response).toEqual(response)
    expect(await again.query('all')).toEqual(['once'])
  })

  it('ends a command whose answer is lost at the deadline, and does not claim to know', async () => {
    cluster = await InmemCluster.start(3)
    const { leader } = cluster
    const follower = cluster.followers[0]!
    await follower.apply('before')
    cluster.network.cutOneWay(leader.address, follower.address)
    await expect(follower.apply('once', { timeoutMs: 60 })).rejects.toMatchObject({
      outcome: 'unknown',
      retryable: false,
    })
    cluster.network.heal()
    await follower.whenReady()
    await follower.apply('later')
    expect((await follower.query('all')).filter((text) => text === 'once').length).toBeLessThan(2)
  })

  it('goes on through a change of leader', async () => {
    cluster = await InmemCluster.start(3)
    const old = cluster.leader
    const survivor = cluster.followers[0]!
    await survivor.apply('before')
    cluster.network.isolate(old.address)
    await eventually(
      survivor,
      () => survivor.leaderAddress !== old.address && survivor.leaderAddress !== undefined,
    )
    expect(await survivor.apply('after')).toEqual({ position: 2 })
    cluster.network.heal()
    await old.whenReady()
    expect(await old.query('all')).toEqual(['before', 'after'])
  })

  it('hands over leadership when it stops, and takes nothing more', async () => {
    cluster = await InmemCluster.start(3)
    const { leader, followers } = cluster
    const term = leader.raft.currentTerm
    const transfer = vi.spyOn(leader.raft, 'transferLeadership')
    await leader.stop({ timeoutMs: 4000 })
    expect(transfer.mock.calls).toEqual([[undefined, { timeoutMs: 4000 }]])
    await Promise.all(followers.map((node) => node.whenReady()))
    const successor = followers.find((node) => node.isLeader)!
    expect(successor.raft.currentTerm).toBe(term + 1)
    await expect(leader.apply('late')).rejects.toMatchObject({
      code: 'RAFT_SHUTDOWN',
      outcome: 'not-committed',
    })
    await expect(leader.query('all')).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
    await expect(leader.whenReady()).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
    expect(await followers[0]!.apply('goes on')).toEqual({ position: 1 })
  })

  it('does not hand over when it is told not to, or has nobody to hand over to', async () => {
    cluster = await InmemCluster.start(3)
    const transfer = vi.spyOn(cluster.leader.raft, 'transferLeadership')
    await cluster.leader.stop({ transferLeadership: false })
    expect(transfer).not.toHaveBeenCalled()
    const lonely = await InmemCluster.start(1)
    const lonelyTransfer = vi.spyOn(lonely.leader.raft, 'transferLeadership')
    await lonely.leader.stop()
    expect(lonelyTransfer).not.toHaveBeenCalled()
  })

  it('stops although nobody can take over', async () => {
    cluster = await InmemCluster.start(3)
    const { leader, followers } = cluster
    for (const node of followers) await node.stop()
    await leader.stop({ timeoutMs: 50 })
    expect(cluster.network.addresses).toEqual([])
  })

  it('stops once, however often it is asked', async () => {
    cluster = await InmemCluster.start(1)
    const { leader } = cluster
    const stopped = leader.stop()
    expect(leader.stop()).toBe(stopped)
    await Promise.all([stopped, leader[Symbol.asyncDispose]()])
    expect(cluster.network.addresses).toEqual([])
  })

  it('settles what waits for a leader when it stops', async () => {
    cluster = new InmemCluster(3)
    const [address] = cluster.addresses
    const node = await cluster.startNode(address!)
    const answers = [
      node.apply('x', { timeoutMs: 60_000 }),
      node.query('all', { timeoutMs: 60_000 }),
    ]
    const settled = Promise.allSettled(answers)
    await node.stop()
    expect(await settled).toMatchObject([
      { reason: { code: 'RAFT_SHUTDOWN', outcome: 'not-committed' } },
      { reason: { code: 'RAFT_SHUTDOWN' } },
    ])
  })

  it('settles what is on its way to the leader when it stops', async () => {
    cluster = await InmemCluster.start(3)
    const { leader } = cluster
    const follower = cluster.followers[0]!
    await follower.apply('before')
    const forward = vi.spyOn(follower.raft, 'forwardToLeader')
    cluster.network.cutOneWay(leader.address, follower.address)
    const answer = follower.apply('x', { timeoutMs: 60_000 })
    const settled = Promise.allSettled([answer])
    await vi.waitFor(() => expect(forward).toHaveBeenCalled())
    await follower.stop()
    expect(await settled).toMatchObject([{ reason: { code: 'RAFT_SHUTDOWN', outcome: 'unknown' } }])
  })

  it('tells leadership with a token that only grows, and its end', async () => {
    cluster = await InmemCluster.start(3)
    const periods: Leadership[] = []
    for (const node of cluster.nodes.values())
      node.onLeadership((leadership) => void periods.push(leadership))
    await Promise.resolve()
    const first = cluster.leader
    expect(periods).toHaveLength(1)
    expect(periods[0]!.fencingToken).toBe(first.raft.currentTerm)
    await first.transferLeadership()
    expect(periods[0]!.signal.aborted).toBe(true)
    await cluster.ready()
    await cluster.leader.query('all')
    expect(periods).toHaveLength(2)
    expect(periods[1]!.fencingToken).toBeGreaterThan(periods[0]!.fencingToken)
    await cluster.leader.stop()
    expect(periods[1]!.signal.aborted).toBe(true)
  })

  it('waits at its stop for leadership work, but not for ever', async () => {
    cluster = await InmemCluster.start(1)
    const { leader } = cluster
    let finish = (): void => {}
    const work = new Promise<void>((resolve) => (finish = resolve))
    leader.onLeadership(() => work)
    await Promise.resolve()
    let stopped = false
    const stopping = leader.stop({ timeoutMs: 60_000 }).then(() => (stopped = true))
    await new Promise((resolve) => setImmediate(resolve))
    expect(stopped).toBe(false)
    finish()
    await stopping

    const again = await cluster.startNode(leader.address)
    await again.whenReady()
    again.onLeadership(() => new Promise(() => {}))
    await Promise.resolve()
    await again.stop({ timeoutMs: 20 })
  })

  it('goes on from what its stores hold', async () => {
    cluster = await InmemCluster.start(3)
    await cluster.leader.apply('kept')
    await cluster.stop()
    for (const address of cluster.addresses) await cluster.startNode(address)
    await cluster.ready()
    for (const node of cluster.nodes.values()) expect(await node.query('all')).toEqual(['kept'])
  })

  it('is ready when it has applied what was committed', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const late = cluster.followers[0]!
    await late.stop()
    for (let i = 0; i < 50; i += 1) await cluster.leader.apply(`command ${i}`)
    const node = await cluster.startNode(late.address)
    await node.whenReady()
    expect(await node.query('all', { consistency: 'stale' })).toHaveLength(50)
  })

  it('says why, and at once, when its server has stopped', async () => {
    const stateMachine = ledger()
    stateMachine.apply = () => {
      throw new Error('broken')
    }
    cluster = new InmemCluster(1)
    const node = await cluster.startNode(cluster.addresses[0]!, { stateMachine })
    await node.whenReady()
    const stopped = new Promise<unknown>((resolve) => node.raft.on('stopped', resolve))
    await expect(node.apply('x')).rejects.toMatchObject({ code: 'RAFT_STATE_MACHINE_FAILED' })
    await stopped
    const patient = { timeoutMs: 60_000 }
    await expect(node.apply('y', patient)).rejects.toThrow('broken')
    await expect(node.query('all', patient)).rejects.toThrow('broken')
    await expect(node.query('all', { consistency: 'stale' })).rejects.toThrow('broken')
  })

  it.each([0, -1, Number.NaN, Infinity])('refuses a timeout of %d', async (timeoutMs) => {
    cluster = await InmemCluster.start(1)
    await expect(cluster.leader.apply('x', { timeoutMs })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
      outcome: 'not-committed',
    })
  })

  it('stops waiting when it is told to', async () => {
    cluster = new InmemCluster(3)
    const node = await cluster.startNode(cluster.addresses[0]!)
    const abort = new AbortController()
    const answer = node.apply('x', { signal: abort.signal, timeoutMs: 60_000 })
    abort.abort(new Error('enough'))
    await expect(answer).rejects.toMatchObject({ code: 'RAFT_ABORTED', outcome: 'not-committed' })
  })
})
