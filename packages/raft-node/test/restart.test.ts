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
