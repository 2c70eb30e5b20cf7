// What callers of a node may get wrong, on any node: each is told by an error of its own, and nothing has changed.
import { RaftError } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sessionMachine } from '../src/sessions/session-machine.ts'
import { openSessionResponse } from '../src/sessions/session-response.ts'
import { calm, InmemCluster, type LedgerNode } from './inmem-cluster.ts'
import { CountingMachine, LogScript } from './sessions/counting-machine.ts'

describe('a call that cannot be served', () => {
  let cluster: InmemCluster

  beforeEach(async () => {
    cluster = await InmemCluster.start(3, { config: { ...calm, verifyDisks: false } })
    await cluster.leader.apply('before')
  })
  afterEach(() => cluster.stop())

  async function everything(): Promise<unknown> {
    const { leader } = cluster
    return {
      leader: leader.id,
      term: leader.raft.currentTerm,
      lastIndex: leader.raft.lastIndex,
      configuration: leader.configuration(),
      texts: await leader.query('all'),
    }
  }

  it.each<[what: string, code: string, call: (node: LedgerNode) => Promise<unknown>]>([
    ['removes a stranger', 'RAFT_UNKNOWN_SERVER', (node) => node.removeServer('nobody')],
    ['demotes a stranger', 'RAFT_UNKNOWN_SERVER', (node) => node.demoteVoter('nobody')],
    [
      'adds a server at an address that is taken',
      'RAFT_DUPLICATE_ADDRESS',
      (node) => node.addVoter('d', 'node-1:7000'),
    ],
    [
      'leaves no voter',
      'RAFT_NO_VOTER_LEFT',
      (node) => node.changeMembership({ demote: ['node-1:7000', 'node-2:7000', 'node-3:7000'] }),
    ],
    [
      'means another configuration',
      'RAFT_CONFIGURATION_CHANGED',
      (node) => node.removeServer('node-1:7000', { prevIndex: 77 }),
    ],
    [
      'hands over to a stranger',
      'RAFT_LEADERSHIP_TRANSFER_FAILED',
      (node) => node.transferLeadership('nobody'),
    ],
  ])('%s', async (_what, code, call) => {
    for (const node of [cluster.leader, cluster.followers[0]!]) {
      const before = await everything()
      const error = await call(node).catch((thrown: unknown) => thrown)
      expect(RaftError.is(error, code as never)).toBe(true)
      expect(await everything()).toEqual(before)
    }
    await cluster.leader.apply('after')
  })
})

it('a command of a session that expired is refused and not applied', async () => {
  const inner = new CountingMachine()
  const machine = sessionMachine(inner)
  const log = new LogScript()
  const entry = log.register({ sessionTimeoutMs: 1000 })
  await machine.apply(entry)
  openSessionResponse(await machine.apply(log.command(entry.index, 1, 10)))
  log.time = 6000
  const answer = await machine.apply(log.command(entry.index, 2, 20))
  let error: unknown
  try {
    openSessionResponse(answer)
  } catch (thrown) {
    error = thrown
  }
  expect(error).toMatchObject({ code: 'RAFT_SESSION_EXPIRED', outcome: 'unknown' })
  expect(inner.applied).toEqual([10])
})
