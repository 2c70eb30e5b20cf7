import { afterEach, describe, expect, it } from 'vitest'
import { calm, InmemCluster } from './inmem-cluster.ts'

let cluster: InmemCluster

afterEach(async () => {
  await cluster.stop()
})

describe('membership calls on a node', () => {
  it('add, demote and remove servers from any node', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const follower = cluster.followers[0]!
    const address = 'node-4:7000'
    const added = await cluster.startNode(address, {
      bootstrap: false,
      peers: [...cluster.addresses, address],
      config: calm,
    })
    await follower.apply('before')
    const { index } = await follower.addVoter(address, address)
    expect(index).toBeGreaterThan(0)
    await added.whenReady()
    expect(await added.query('all')).toEqual(['before'])
    expect(added.configuration().configuration.servers).toHaveLength(4)
    // The new node asks now, for itself.
    await added.demoteVoter(address)
    const demoted = cluster.leader.configuration()
    expect(demoted.configuration.servers.find(({ id }) => id === address)?.suffrage).toBe(
      'nonvoter',
    )
    await follower.removeServer(address, { prevIndex: demoted.index })
    expect(cluster.leader.configuration().configuration.servers).toHaveLength(3)
    await follower.addNonvoter('node-9:7000', 'node-9:7000')
    expect(cluster.leader.configuration().configuration.servers.at(-1)).toMatchObject({
      id: 'node-9:7000',
      suffrage: 'nonvoter',
    })
  })

  it('change several members at once, from a node that is to go', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const { leader } = cluster
    const [going, staying] = cluster.followers
    await leader.apply('before')
    const added = await Promise.all(
      ['node-4:7000', 'node-5:7000'].map((address) =>
        cluster.startNode(address, {
          bootstrap: false,
          peers: [...cluster.addresses, address],
          config: calm,
        }),
      ),
    )
    const seen: string[] = []
    leader.raft.on('configuration-changed', ({ latest: { configuration } }) => {
      const halves = [configuration.servers, ...(configuration.next ? [configuration.next] : [])]
      seen.push(
        halves.map((half) => half.filter((s) => s.suffrage === 'voter').length).join(' and '),
      )
    })
    const change = {
      add: added.map(({ address }) => ({ id: address, address })),
      remove: [going!.id],
    }
    const { index } = await going!.changeMembership(change)
    expect([...new Set(seen)]).toEqual(['3', '3 and 4', '4'])
    expect(leader.configuration()).toMatchObject({ index, isJoint: false })
    await leader.apply('after')
    for (const node of [...added, staying!]) {
      await node.whenReady()
      expect(await node.query('all')).toEqual(['before', 'after'])
    }
    const refused = staying!.changeMembership({ remove: [going!.id] })
    await expect(refused).rejects.toMatchObject({ code: 'RAFT_UNKNOWN_SERVER' })
  })

  it('replace a node that is gone, and then the leader', async () => {
    cluster = await InmemCluster.start(3, { config: calm })
    const { leader } = cluster
    const [gone, other] = cluster.followers
    await leader.apply('before')
    await gone!.stop()
    const [one, two] = await Promise.all(
      ['node-4:7000', 'node-5:7000'].map((address) =>
        cluster.startNode(address, {
          bootstrap: false,
          peers: [...cluster.addresses, address],
          config: calm,
        }),
      ),
    )
    await other!.replaceServer(gone!.id, { id: one!.address, address: one!.address })
    await leader.replaceServer(leader.id, { id: two!.address, address: two!.address })
    await two!.whenReady()
    await other!.apply('after')
    expect(await two!.query('all')).toEqual(['before', 'after'])
    const ids = two!.configuration().configuration.servers.map(({ id }) => id)
    expect(ids.toSorted()).toEqual([one!.id, two!.id, other!.id].toSorted())
  })

  it('hand over leadership from a follower, to whom it names', async () => {
    cluster = await InmemCluster.start(3)
    const [one, two] = cluster.followers
    await one!.transferLeadership(two!.id)
    await two!.whenReady()
    expect(two!.isLeader).toBe(true)
  })

  it.each(['leader', 'follower'] as const)(
    'gives the errors of the leader, called on a %s, and changes nothing',
    async (role) => {
      cluster = await InmemCluster.start(3, { config: calm })
      const node = role === 'leader' ? cluster.leader : cluster.followers[0]!
      const before = cluster.leader.configuration()
      const [other] = cluster.addresses
      const refused = { outcome: 'not-committed', retryable: false }
      await expect(node.removeServer('nobody')).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_UNKNOWN_SERVER',
      })
      await expect(node.demoteVoter('nobody')).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_UNKNOWN_SERVER',
      })
      await expect(node.addVoter('another', other!)).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_DUPLICATE_ADDRESS',
      })
      await expect(node.addNonvoter('', 'x:1')).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_INVALID_ARGUMENT',
      })
      await expect(node.changeMembership({})).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_INVALID_ARGUMENT',
      })
      await expect(node.changeMembership({ promote: ['nobody'] })).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_UNKNOWN_SERVER',
      })
      await expect(node.replaceServer('nobody', { id: 'x', address: 'x:1' })).rejects.toMatchObject(
        { ...refused, code: 'RAFT_UNKNOWN_SERVER' },
      )
      await expect(node.removeServer(other!, { prevIndex: 999 })).rejects.toMatchObject({
        ...refused,
        code: 'RAFT_CONFIGURATION_CHANGED',
      })
      await expect(node.transferLeadership('nobody')).rejects.toMatchObject({
        code: 'RAFT_LEADERSHIP_TRANSFER_FAILED',
      })
      expect(cluster.leader.configuration()).toEqual(before)
    },
  )

  it('waits for a leader, and says that there is none', async () => {
    cluster = new InmemCluster(3)
    const node = await cluster.startNode(cluster.addresses[0]!)
    const limits = { timeoutMs: 50 }
    const refusal = { code: 'RAFT_NO_LEADER', outcome: 'not-committed' }
    await expect(node.removeServer('x', limits)).rejects.toMatchObject(refusal)
    await expect(node.transferLeadership(undefined, limits)).rejects.toMatchObject(refusal)
  })

  it('takes none on a node that has stopped', async () => {
    cluster = await InmemCluster.start(1)
    const { leader } = cluster
    await leader.stop()
    await expect(leader.removeServer('x')).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
  })
})
