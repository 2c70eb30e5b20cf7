// What raftkit adds to the protocol is never sent to a server that has not shown that it is raftkit (docs/formats.md). All
// servers here take each other for hashicorp/raft; whatever one of them says must be what hashicorp/raft could have said.
import { LogType, type RpcRequest } from '@raftkit/interface'
import { decodeConfiguration, decodeEntry, DEFAULT_WIRE_LIMITS } from '@raftkit/wire'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { HashicorpDisguise } from '../support/hashicorp-disguise.ts'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

const VOTE = ['type', 'header', 'term', 'lastLogIndex', 'lastLogTerm']
const APPEND = ['prevLogIndex', 'prevLogTerm', 'leaderCommit', 'entries']
const SNAPSHOT = ['snapshotVersion', 'peers', 'configuration', 'configurationIndex', 'size']

/** The fields of hashicorp/raft's requests. */
const REQUESTS: Readonly<Record<string, readonly string[]>> = {
  'append-entries': ['type', 'header', 'term', ...APPEND],
  'request-vote': [...VOTE, 'leadershipTransfer'],
  'request-pre-vote': VOTE,
  'install-snapshot': [...VOTE, ...SNAPSHOT],
  'timeout-now': ['type', 'header'],
}

/** Of its responses. */
const RESPONSES: Readonly<Record<string, readonly string[]>> = {
  'append-entries': ['type', 'header', 'term', 'lastLogIndex', 'success', 'noRetryBackoff'],
  'request-vote': ['type', 'header', 'term', 'granted'],
  'request-pre-vote': ['type', 'header', 'term', 'granted'],
  'install-snapshot': ['type', 'header', 'term', 'success'],
  'timeout-now': ['type', 'header'],
}

let cluster: TestCluster
let disguise: HashicorpDisguise
beforeEach(async () => {
  disguise = new HashicorpDisguise()
  cluster = await TestCluster.start({
    transport: disguise.around,
    config: { trailingLogs: 0, verifyDisks: true },
  })
})
afterEach(() => cluster.stop())

/** The configurations in a request. */
function configurationsIn(request: RpcRequest): Uint8Array[] {
  if (request.type === 'install-snapshot') return [request.configuration]
  if (request.type !== 'append-entries') return []
  return (request.entries ?? []).flatMap((batch) =>
    batch.types.flatMap((type, place) =>
      type === LogType.configuration ? [decodeEntry(batch, batch.firstIndex + place).data] : [],
    ),
  )
}

function fields(message: object): string[] {
  return Object.entries(message)
    .filter(([, value]) => value !== undefined)
    .map(([name]) => name)
    .toSorted()
}

function checkAll(): void {
  for (const request of disguise.requests) {
    expect(fields(request)).toEqual(REQUESTS[request.type]?.toSorted())
    for (const bytes of configurationsIn(request)) {
      const configuration = decodeConfiguration(bytes, DEFAULT_WIRE_LIMITS)
      expect(fields(configuration)).toEqual(['servers'])
      for (const server of configuration.servers)
        expect(fields(server)).toEqual(['address', 'id', 'suffrage'])
    }
  }
  for (const response of disguise.responses)
    expect(fields(response)).toEqual(RESPONSES[response.type]?.toSorted())
}

const sentTypes = (): Set<string> => new Set(disguise.requests.map(({ type }) => type))

describe('servers that take each other for hashicorp/raft', () => {
  let leader: Member
  const apply = (text: string): Promise<unknown> =>
    cluster.clock.wait(leader.raft.apply(bytesOf(text)))

  it('say nothing that it does not know: elections, logs that differ, snapshots, hand-overs, changes', async () => {
    leader = await cluster.leader()
    await apply('one')
    // A log that differs: the refusal carries no hint.
    cluster.network.isolate(leader.id)
    const cutOff = leader
    void cutOff.raft.apply(bytesOf('lost')).catch(() => {})
    leader = await cluster.leader(cluster.others(cutOff))
    await apply('two')
    const [other] = cluster.others(cutOff, leader)
    await cluster.clock.wait(leader.raft.transferLeadership(other!.id))
    leader = await cluster.leader(cluster.others(cutOff))
    cluster.network.heal()
    await cluster.converged('two')
    // A snapshot, since the log is gone.
    const behind = cluster.others(leader)[0]!
    cluster.network.isolate(behind.id)
    await apply('three')
    await cluster.clock.wait(leader.raft.snapshot())
    await apply('four')
    cluster.network.heal()
    leader = await cluster.leader()
    await cluster.converged('four')
    await cluster.clock.wait(leader.raft.transferLeadership(cluster.others(leader)[0]!.id))
    leader = await cluster.leader()
    await cluster.clock.wait(leader.raft.demoteVoter(cluster.others(leader)[0]!.id))
    // A leader that leaves hands over.
    const rest = cluster.others(leader)
    await cluster.clock.wait(leader.raft.removeServer(leader.id))
    leader = await cluster.leader(rest)
    await apply('five')

    expect(sentTypes()).toEqual(new Set(Object.keys(REQUESTS)))
    expect(disguise.responses).toContainEqual(
      expect.objectContaining({ type: 'append-entries', success: false, noRetryBackoff: true }),
    )
    checkAll()
  })

  it('forward nothing, and make no joint change', async () => {
    leader = await cluster.leader()
    const follower = cluster.others(leader)[0]!
    const forwarded = await cluster.clock.wait(
      rejection(follower.raft.forwardToLeader(bytesOf('x'))),
    )
    expect(forwarded).toMatchObject({ outcome: 'not-committed' })
    const several = { demote: cluster.others(leader).map(({ id }) => id) }
    const changed = await cluster.clock.wait(rejection(leader.raft.changeMembership(several)))
    expect(changed).toMatchObject({ code: 'RAFT_JOINT_UNSUPPORTED' })
    checkAll()
  })
})
