// What callers may get wrong: each is told by an error of its own, and no server has another term, log, configuration or
// state machine than before.
import { RaftError } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
let follower: Member

beforeEach(async () => {
  cluster = await TestCluster.start({
    ids: ['a', 'b', 'c', 'n'],
    suffrage: { n: 'nonvoter' },
    config: { snapshotStallMs: 500 },
  })
  leader = await cluster.leader()
  follower = cluster.others(leader).find(({ id }) => id !== 'n')!
  await cluster.clock.wait(leader.raft.apply(bytesOf('x')))
  await cluster.converged('x')
  await cluster.clock.advance(500)
})
afterEach(() => cluster.stop())

/** Everything that must not change, of every server. */
async function everything(): Promise<unknown> {
  return Promise.all(
    cluster.members.map(async ({ id, raft, machine, data, snapshots }) => {
      const { firstIndex, lastIndex } = await data.bounds()
      const batch = await data.read(firstIndex, lastIndex, { maxBytes: 1e9 })
      return {
        id,
        state: raft.state,
        term: raft.currentTerm,
        hardState: await data.loadHardState(),
        log: Buffer.from(batch.view).toString('hex'),
        commitIndex: raft.commitIndex,
        appliedIndex: raft.appliedIndex,
        configuration: raft.configuration(),
        texts: [...machine.texts],
        restores: machine.restores,
        snapshots: await snapshots.list(),
      }
    }),
  )
}

/** The error of a call that must change nothing, now or later. */
async function refusalOf(call: () => Promise<unknown>): Promise<RaftError> {
  const before = await everything()
  const error = await rejection(cluster.clock.wait(call()))
  expect(RaftError.is(error)).toBe(true)
  await cluster.clock.advance(1000)
  expect(await everything()).toEqual(before)
  await cluster.clock.wait(leader.raft.apply(bytesOf('after')))
  await cluster.converged('after')
  return error
}

describe('a change of the membership', () => {
  it.each<[what: string, code: string, call: () => Promise<unknown>]>([
    ['that removes a stranger', 'RAFT_UNKNOWN_SERVER', () => leader.raft.removeServer('nobody')],
    ['that demotes a stranger', 'RAFT_UNKNOWN_SERVER', () => leader.raft.demoteVoter('nobody')],
    ['to an address that is taken', 'RAFT_DUPLICATE_ADDRESS', () => leader.raft.addVoter('d', 'a')],
    [
      'of a nonvoter to an address that is taken',
      'RAFT_DUPLICATE_ADDRESS',
      () => leader.raft.addNonvoter('d', 'a'),
    ],
    [
      'of another configuration than the one that holds',
      'RAFT_CONFIGURATION_CHANGED',
      () => leader.raft.removeServer('n', { prevIndex: 77 }),
    ],
    [
      'that leaves no voter',
      'RAFT_NO_VOTER_LEFT',
      () => leader.raft.changeMembership({ demote: ['a', 'b'], remove: ['c'] }),
    ],
    ['without an id', 'RAFT_INVALID_ARGUMENT', () => leader.raft.addVoter('', 'd')],
    ['without an address', 'RAFT_INVALID_ARGUMENT', () => leader.raft.addVoter('d', '')],
    [
      'with an index that is none',
      'RAFT_INVALID_ARGUMENT',
      () => leader.raft.removeServer('n', { prevIndex: -1 }),
    ],
    ['asked of a follower', 'RAFT_NOT_LEADER', () => follower.raft.removeServer('n')],
  ])('%s', async (_what, code, call) => {
    expect(await refusalOf(call)).toMatchObject({ code, outcome: 'not-committed' })
  })
})

describe('a transfer of leadership', () => {
  const code = 'RAFT_LEADERSHIP_TRANSFER_FAILED'

  it.each<[what: string, target: () => string, reason: string, retryable: boolean]>([
    ['to the leader itself', () => leader.id, 'target-is-self', false],
    ['to a nonvoter', () => 'n', 'target-not-voter', false],
    ['to a stranger', () => 'nobody', 'no-such-target', false],
  ])('%s', async (_what, target, reason, retryable) => {
    const error = await refusalOf(() => leader.raft.transferLeadership(target()))
    expect(error).toMatchObject({ code, retryable, details: { reason } })
  })

  it('to a server that is dead', async () => {
    await cluster.kill(follower)
    cluster.members.splice(cluster.members.indexOf(follower), 1)
    await cluster.clock.advance(500)
    const error = await refusalOf(() => leader.raft.transferLeadership(follower.id))
    expect(error).toMatchObject({
      code,
      retryable: true,
      details: { reason: 'target-unreachable' },
    })
    cluster.members.push(follower)
  })

  it('asked of a follower', async () => {
    const error = await refusalOf(() => follower.raft.transferLeadership())
    expect(error.code).toBe('RAFT_NOT_LEADER')
  })
})

describe('a restore', () => {
  const backup = bytesOf(JSON.stringify(['from', 'a', 'backup']))
  const source = { version: 1, index: 5, size: backup.length }

  async function* stream(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 4) yield bytes.subarray(at, at + 4)
  }

  async function* corrupt(): AsyncGenerator<Uint8Array> {
    yield* stream(backup.subarray(0, 8))
    throw new RaftError('RAFT_SNAPSHOT_CORRUPT', 'the checksum does not fit')
  }

  it.each<[what: string, code: string, call: () => Promise<unknown>]>([
    [
      'of a truncated stream',
      'RAFT_SNAPSHOT_FAILED',
      () => leader.raft.restore(source, stream(backup.subarray(0, -3))),
    ],
    [
      'of a stream that is longer than it says',
      'RAFT_SNAPSHOT_FAILED',
      () => leader.raft.restore({ ...source, size: 3 }, stream(backup)),
    ],
    [
      'of a stream whose reader finds it corrupt',
      'RAFT_SNAPSHOT_FAILED',
      () => leader.raft.restore(source, corrupt()),
    ],
    [
      'of a version that nobody knows',
      'RAFT_INVALID_ARGUMENT',
      () => leader.raft.restore({ ...source, version: 9 }, stream(backup)),
    ],
    [
      'with an index that is none',
      'RAFT_INVALID_ARGUMENT',
      () => leader.raft.restore({ ...source, index: -1 }, stream(backup)),
    ],
    ['asked of a follower', 'RAFT_NOT_LEADER', () => follower.raft.restore(source, stream(backup))],
  ])('%s', async (_what, code, call) => {
    expect(await refusalOf(call)).toMatchObject({ code, outcome: 'not-committed' })
  })

  it('of a stream that is corrupt says why, for programs', async () => {
    const error = await refusalOf(() => leader.raft.restore(source, corrupt()))
    expect(error.cause).toMatchObject({ code: 'RAFT_SNAPSHOT_CORRUPT' })
  })
})

describe('a server that was removed', () => {
  it.each<[what: string, call: (removed: Member) => Promise<unknown>]>([
    ['serves no linearizable read', ({ raft }) => raft.read(() => 1)],
    ['serves no read by the lease', ({ raft }) => raft.read(() => 1, { consistency: 'lease' })],
    [
      'serves no read of bounded staleness',
      ({ raft }) => raft.read(() => 1, { consistency: 'bounded', maxStalenessMs: 1 }),
    ],
    ['takes no command', ({ raft }) => raft.apply(bytesOf('y'))],
    ['makes no change of the membership', ({ raft }) => raft.addVoter('d', 'd')],
  ])('%s', async (_what, call) => {
    let isTold = false
    follower.raft.on('removed', () => {
      isTold = true
    })
    await cluster.clock.wait(leader.raft.removeServer(follower.id))
    await cluster.clock.until(() => isTold)
    await cluster.clock.advance(500)
    cluster.members.splice(cluster.members.indexOf(follower), 1)
    expect((await refusalOf(() => call(follower))).code).toBe('RAFT_REMOVED')
    cluster.members.push(follower)
  })
})
