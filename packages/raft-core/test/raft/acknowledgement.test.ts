import type { AppendEntriesResponse, EntryBatch } from '@raftkit/interface'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { commands } from '../support/batches.ts'
import { rejection } from '../support/rejection.ts'
import { type Member, TestCluster } from '../support/test-cluster.ts'

let cluster: TestCluster
let follower: Member
beforeEach(async () => {
  cluster = await TestCluster.start({ absent: ['b', 'c'] })
  follower = cluster.member('a')
})
afterEach(() => cluster.stop())

/** AppendEntries of a leader that the test plays. */
async function append(
  leader: string,
  term: number,
  entries: readonly EntryBatch[],
): Promise<AppendEntriesResponse> {
  const transport = cluster.network.transport(leader)
  try {
    return await transport.call<'append-entries'>(
      { id: 'a', address: 'a' },
      {
        type: 'append-entries',
        header: { protocolVersion: 3, id: leader, address: leader, extensionLevel: 1 },
        term,
        prevLogIndex: 1,
        prevLogTerm: 1,
        leaderCommit: 0,
        entries,
      },
      { timeoutMs: 10_000 },
    )
  } finally {
    await transport.close()
  }
}

describe('the acknowledgement of entries', () => {
  it('leaves when they are durable, not before', async () => {
    follower.store.hang()
    let isAnswered = false
    const answered = append('b', 5, [commands(2, 5, ['x', 'y'])]).then((response) => {
      isAnswered = true
      return response
    })
    await cluster.clock.advance(200)
    expect(isAnswered).toBe(false)
    follower.store.release()
    expect(await cluster.clock.wait(answered)).toMatchObject({ success: true, lastLogIndex: 3 })
    expect((await follower.data.bounds()).lastIndex).toBe(3)
  })

  it('never leaves for entries that another leader replaced meanwhile', async () => {
    follower.store.hang()
    const replaced = rejection(append('b', 5, [commands(2, 5, ['x', 'y'])]))
    await cluster.clock.settle()
    const kept = append('c', 6, [commands(2, 6, ['z', 'w'])])
    await cluster.clock.settle()
    follower.store.release()
    expect(await cluster.clock.wait(kept)).toMatchObject({ success: true, term: 6 })
    const refused = await cluster.clock.wait(replaced)
    expect(refused.message).toContain('replaced before they were durable')
    expect(await follower.data.bounds()).toEqual({ firstIndex: 1, lastIndex: 3 })
  })

  it('is given again for entries that are there, without writing them twice', async () => {
    follower.store.hang()
    const first = append('b', 5, [commands(2, 5, ['x'])])
    await cluster.clock.settle()
    follower.store.release()
    expect(await cluster.clock.wait(first)).toMatchObject({ success: true })
    const again = await cluster.clock.wait(append('b', 5, [commands(2, 5, ['x'])]))
    expect(again).toMatchObject({ success: true })
    expect(follower.store.operations.filter((line) => line.startsWith('append'))).toEqual([
      'append 2..2',
    ])
  })
})
