import { afterEach, expect, it } from 'vitest'
import { calm, InmemCluster } from './inmem-cluster.ts'

let cluster: InmemCluster
afterEach(() => cluster.stop())

it('a node that is started alone has what it knew to be committed, and serves it to stale reads', async () => {
  cluster = await InmemCluster.start(3, { config: calm })
  const [address] = cluster.addresses
  const node = cluster.nodes.get(address!)!
  for (const text of ['one', 'two', 'three']) await node.apply(text)
  await cluster.stop()
  cluster.nodes.clear()
  const alone = await cluster.startNode(address!, { config: calm })
  // The third was known to be committed only if another entry followed it.
  const texts = await alone.query('all', { consistency: 'stale' })
  expect(texts.slice(0, 2)).toEqual(['one', 'two'])
})

it('a start can be given up, and everything is closed again', async () => {
  cluster = await InmemCluster.start(1, { config: calm })
  const [address] = cluster.addresses
  await cluster.leader.apply('one')
  await cluster.stop()
  cluster.nodes.clear()
  const starting = cluster.startNode(address!, { signal: AbortSignal.abort(new Error('enough')) })
  await expect(starting).rejects.toMatchObject({ code: 'RAFT_ABORTED' })
  const again = await cluster.startNode(address!, { config: calm })
  await again.whenReady()
  expect(await again.query('all')).toEqual(['one'])
})

it('a node does not start without its snapshot: the sessions are in it', async () => {
  cluster = new InmemCluster(1)
  const config = { ...calm, restoreSnapshotOnStart: false }
  const starting = cluster.startNode(cluster.addresses[0]!, { config })
  await expect(starting).rejects.toMatchObject({ code: 'RAFT_INVALID_ARGUMENT' })
})
