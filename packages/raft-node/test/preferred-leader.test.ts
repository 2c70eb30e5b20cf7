import { afterEach, expect, it } from 'vitest'
import { eventually, InmemCluster, quick } from './inmem-cluster.ts'

let cluster: InmemCluster
afterEach(() => cluster.stop())

it('a node of higher priority leads in the end, and again when it is back', async () => {
  const preferred = 'node-2:7000'
  const config = { ...quick, leaderPriorities: { [preferred]: 1 } }
  cluster = await InmemCluster.start(3, { config })
  const node = cluster.nodes.get(preferred)!
  await eventually(node, () => node.isLeader)
  await cluster.nodes.get('node-1:7000')!.apply('one')
  await node.stop({ transferLeadership: true })
  cluster.nodes.delete(preferred)
  const other = cluster.nodes.get('node-1:7000')!
  await other.apply('two')
  const back = await cluster.startNode(preferred, { config })
  await eventually(back, () => back.isLeader)
  expect(await back.query('all')).toEqual(['one', 'two'])
})
