// raft.restore: the state of a backup for a whole running cluster.
import { afterEach, describe, expect, it } from 'vitest'
import { rejection } from '../support/rejection.ts'
import { type ClusterOptions, type Member, TestCluster } from '../support/test-cluster.ts'
import { bytesOf } from '../support/text-machine.ts'

let cluster: TestCluster
let leader: Member
async function start(options: ClusterOptions = {}): Promise<void> {
  cluster = await TestCluster.start(options)
  leader = await cluster.leader()
}
afterEach(() => cluster.stop())

async function apply(...texts: string[]): Promise<void> {
  await cluster.clock.wait(Promise.all(texts.map((text) => leader.raft.apply(bytesOf(text)))))
}

const BACKUP = bytesOf('["old","older"]')
const meta = { version: 1, index: 5, size: BACKUP.length }

/** The bytes of the backup in chunks, as from a network. */
async function* stream(bytes: Uint8Array = BACKUP): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 4) {
    await Promise.resolve()
    yield bytes.subarray(at, at + 4)
  }
}

/** A stream that begins, then waits for {@link Held.finish}. */
interface Held {
  readonly state: AsyncIterable<Uint8Array>
  readonly finish: () => void
}

function held(): Held {
  let finish = (): void => {}
  const waiting = new Promise<void>((resolve) => {
    finish = resolve
  })
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield BACKUP.subarray(0, 4)
    await waiting
    yield BACKUP.subarray(4)
  }
  return { state: chunks(), finish }
}

/** Entries do not arrive any more, heartbeats and probes do; returns what ends that. */
function blockEntries(): () => void {
  return cluster.network.intercept(({ kind, message }) =>
    kind === 'request' &&
    message.type === 'append-entries' &&
    'entries' in message &&
    (message.entries?.length ?? 0) > 0
      ? 'drop'
      : undefined,
  )
}

function blockSnapshots(): () => void {
  return cluster.network.intercept(({ kind, message }) =>
    kind === 'request' && message.type === 'install-snapshot' ? 'drop' : undefined,
  )
}

async function sameEverywhere(...texts: string[]): Promise<void> {
  await cluster.clock.until(() =>
    cluster.members.every(({ machine }) => JSON.stringify(machine.texts) === JSON.stringify(texts)),
  )
}

describe('restore', () => {
  it.each([0, 1, 2, 100, 1000, 10_000])(
    'replaces the state of every server, %i entries after where it was taken',
    async (offset) => {
      await start()
      await apply('x', 'y')
      const saved = await cluster.clock.wait(leader.raft.snapshot())
      const opened = await leader.snapshots.open(saved.id)
      const chunks: Uint8Array[] = []
      for await (const chunk of opened.state) chunks.push(chunk.slice())
      await apply('z')
      const { lastIndex } = leader.raft
      const source = { ...saved, index: saved.index + offset }
      const { index } = await cluster.clock.wait(
        leader.raft.restore(
          source,
          (async function* () {
            yield* chunks
          })(),
        ),
      )
      expect(index).toBe(Math.max(lastIndex, source.index) + 1)
      expect(leader.raft.lastIndex).toBe(index + 1)
      await sameEverywhere('x', 'y')
      await apply('after')
      await sameEverywhere('x', 'y', 'after')
      expect(leader.raft.configuration().configuration).toMatchObject(cluster.configuration)
    },
  )

  it('is there after a restart of every server', async () => {
    await start()
    await apply('x')
    await cluster.clock.wait(leader.raft.restore(meta, stream()))
    await apply('after')
    await sameEverywhere('old', 'older', 'after')
    for (const member of cluster.members) await cluster.restart(member)
    leader = await cluster.leader()
    await sameEverywhere('old', 'older', 'after')
    expect(leader.raft.configuration().configuration).toMatchObject(cluster.configuration)
  })

  it('works on a cluster of one, and on one that has applied nothing', async () => {
    await start({ ids: ['a'] })
    await cluster.clock.wait(leader.raft.restore(meta, stream()))
    await apply('after')
    expect(leader.machine.texts).toEqual(['old', 'older', 'after'])
  })

  it('tells who listens, and does not say again that the leader is ready', async () => {
    await start()
    const events: string[] = []
    leader.raft.on('snapshot-installed', ({ index }) => events.push(`installed ${index}`))
    leader.raft.on('leader-ready', () => events.push('ready'))
    const { index } = await cluster.clock.wait(leader.raft.restore(meta, stream()))
    await cluster.clock.advance(100)
    expect(events).toEqual([`installed ${index}`])
  })

  it('takes no commands meanwhile, and all of them after', async () => {
    await start()
    const { state, finish } = held()
    const restoring = leader.raft.restore(meta, state)
    await cluster.clock.settle()
    const refused = rejection(leader.raft.apply(bytesOf('x')))
    await cluster.clock.settle()
    expect(await refused).toMatchObject({
      code: 'RAFT_ABORTED_BY_RESTORE',
      outcome: 'not-committed',
      retryable: true,
    })
    finish()
    await cluster.clock.wait(restoring)
    await apply('after')
    await sameEverywhere('old', 'older', 'after')
  })

  it('aborts commands that are not committed, and says that nobody knows', async () => {
    await start()
    await apply('x')
    const unblock = blockEntries()
    const aborted = rejection(leader.raft.apply(bytesOf('in flight')))
    await cluster.clock.settle()
    const restoring = leader.raft.restore(meta, stream())
    await cluster.clock.until(() => leader.machine.restores === 1)
    expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED_BY_RESTORE', outcome: 'unknown' })
    unblock()
    await cluster.clock.wait(restoring)
    await sameEverywhere('old', 'older')
  })

  it('makes reads wait until a quorum has the restored state', async () => {
    await start()
    await apply('x')
    const unblock = blockSnapshots()
    const restoring = leader.raft.restore(meta, stream())
    await cluster.clock.until(() => leader.machine.restores === 1)
    let isRead = false
    const read = leader.raft.read(() => {
      isRead = true
      return [...leader.machine.texts]
    })
    await cluster.clock.advance(1000)
    expect(leader.raft.state).toBe('leader')
    expect(isRead).toBe(false)
    unblock()
    await cluster.clock.wait(restoring, 200_000)
    expect(await cluster.clock.wait(read)).toEqual(['old', 'older'])
  })

  it('does not show the restored state to a read that was confirmed before', async () => {
    await start()
    await apply('x')
    const finish: (() => void)[] = []
    leader.machine.apply = () => new Promise<void>((resolve) => finish.push(resolve)) as never
    const slow = rejection(leader.raft.apply(bytesOf('slow')))
    await cluster.clock.until(() => finish.length > 0)
    const read = rejection(leader.raft.read(() => leader.machine.texts))
    await cluster.clock.advance(20)
    const restoring = leader.raft.restore(meta, stream())
    await cluster.clock.advance(20)
    for (const resolve of finish) resolve()
    await cluster.clock.wait(restoring)
    expect(await read).toMatchObject({ code: 'RAFT_ABORTED_BY_RESTORE', retryable: true })
    expect(await slow).toMatchObject({ code: 'RAFT_ABORTED_BY_RESTORE', outcome: 'committed' })
  })

  it('goes on when its caller stops waiting after all was received', async () => {
    await start({ config: { snapshotStallMs: 300 } })
    const unblock = blockSnapshots()
    const given = rejection(leader.raft.restore(meta, stream(), { timeoutMs: 500 }))
    await cluster.clock.advance(600)
    expect(await given).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
    unblock()
    await sameEverywhere('old', 'older')
    expect((await cluster.leader()).raft.stats().lastSnapshotIndex).toBeGreaterThan(meta.index)
  })
})

describe('restore refuses, and nothing has changed', () => {
  afterEach(async () => {
    for (const { machine, snapshots } of cluster.members)
      if (machine.restores > 0 || (await snapshots.list()).length > 0)
        throw new Error('something has changed')
    leader = await cluster.leader()
    await apply('after')
    await sameEverywhere('x', 'after')
  })

  async function refusalOf(
    source: Partial<typeof meta>,
    state: AsyncIterable<Uint8Array>,
    by: Member = leader,
  ): Promise<{ readonly code: string; readonly outcome: string | undefined }> {
    const refused = rejection(by.raft.restore({ ...meta, ...source }, state))
    await cluster.clock.advance(50)
    const { code, outcome } = await refused
    return { code, outcome }
  }

  const outcome = 'not-committed'

  it.each<[string, number]>([
    ['ends early', BACKUP.length + 1],
    ['goes on', BACKUP.length - 1],
  ])('a stream that %s', async (_, size) => {
    await start()
    await apply('x')
    expect(await refusalOf({ size }, stream())).toEqual({ code: 'RAFT_SNAPSHOT_FAILED', outcome })
  })

  it('a stream that fails', async () => {
    await start()
    await apply('x')
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield BACKUP.subarray(0, 4)
      await Promise.resolve()
      throw new Error('the checksum is wrong')
    }
    expect(await refusalOf({}, broken())).toEqual({ code: 'RAFT_SNAPSHOT_FAILED', outcome })
  })

  it('a stream that stands still', async () => {
    await start({ config: { snapshotStallMs: 500 } })
    await apply('x')
    const refused = rejection(leader.raft.restore(meta, held().state))
    await cluster.clock.advance(600)
    expect((await refused).code).toBe('RAFT_SNAPSHOT_FAILED')
  })

  it('what it does not understand', async () => {
    await start()
    await apply('x')
    const code = 'RAFT_INVALID_ARGUMENT'
    for (const wrong of [{ version: 2 }, { index: -1 }, { index: 2 ** 53 }, { size: 1.5 }])
      expect(await refusalOf(wrong, stream())).toEqual({ code, outcome })
  })

  it('on a follower', async () => {
    await start()
    await apply('x')
    const [follower] = cluster.others(leader)
    expect(await refusalOf({}, stream(), follower)).toEqual({ code: 'RAFT_NOT_LEADER', outcome })
  })

  it('a second restore at the same time', async () => {
    await start()
    await apply('x')
    const { state } = held()
    const first = rejection(leader.raft.restore(meta, state, { timeoutMs: 1000 }))
    await cluster.clock.settle()
    const code = 'RAFT_ABORTED_BY_RESTORE'
    expect(await refusalOf({}, stream())).toEqual({ code, outcome })
    await cluster.clock.advance(1000)
    expect(await first).toMatchObject({ code: 'RAFT_TIMEOUT', outcome })
  })

  it('when leadership is lost while it is received', async () => {
    await start()
    await apply('x')
    const { state, finish } = held()
    const refused = rejection(leader.raft.restore(meta, state))
    await cluster.clock.settle()
    cluster.network.isolate(leader.id)
    await cluster.clock.until(() => leader.raft.state !== 'leader')
    expect(await refused).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome })
    finish()
    cluster.network.heal()
    await cluster.clock.advance(100)
  })

  it('when the caller stops waiting', async () => {
    await start()
    await apply('x')
    const abort = new AbortController()
    const { state, finish } = held()
    const refused = rejection(leader.raft.restore(meta, state, { signal: abort.signal }))
    await cluster.clock.settle()
    abort.abort()
    expect(await refused).toMatchObject({ code: 'RAFT_ABORTED', outcome })
    finish()
    await cluster.clock.settle()
  })

  it('while a change of the membership is open', async () => {
    await start()
    await apply('x')
    const unblock = blockEntries()
    const change = leader.raft.addNonvoter('d', 'd')
    await cluster.clock.settle()
    const code = 'RAFT_CONFIGURATION_CHANGED'
    expect(await refusalOf({}, stream())).toEqual({ code, outcome })
    unblock()
    await cluster.clock.wait(change)
  })
})

describe('a restore that is cut short', () => {
  it('by the state machine stops this server with its old state kept, and the others go on', async () => {
    await start({ config: { trailingLogs: 10_000 } })
    await apply('x')
    leader.machine.restore = () => Promise.reject(new Error('not mine'))
    const refused = rejection(leader.raft.restore(meta, stream()))
    const stopped: unknown[] = []
    leader.raft.on('stopped', ({ error }) => stopped.push(error?.code))
    await cluster.clock.until(() => leader.raft.state === 'stopped')
    await cluster.clock.settle()
    expect(stopped).toEqual(['RAFT_STATE_MACHINE_FAILED'])
    expect(await refused).toMatchObject({ code: 'RAFT_STATE_MACHINE_FAILED', outcome: 'unknown' })
    expect((await leader.data.bounds()).firstIndex).toBe(1)
    const old = leader
    leader = await cluster.leader(cluster.others(old))
    await apply('after')
  })

  it('by a snapshot that cannot be saved leaves the old state', async () => {
    await start({ ids: ['a'] })
    await apply('x')
    const create = leader.snapshots.create.bind(leader.snapshots)
    leader.snapshots.create = async (description) => {
      const sink = await create(description)
      return {
        id: sink.id,
        write: (chunk) => sink.write(chunk),
        cancel: () => sink.cancel(),
        close: () => Promise.reject(new Error('disk full')),
      }
    }
    const refused = rejection(leader.raft.restore(meta, stream()))
    expect(await cluster.clock.wait(refused)).toMatchObject({
      code: 'RAFT_SNAPSHOT_FAILED',
      outcome: 'unknown',
    })
    await cluster.restart(leader)
    await cluster.leader()
    expect(leader.machine.texts).toEqual(['x'])
  })

  it.each(['set', 'truncatePrefix'] as const)(
    'by a crash before the log is gone (%s) starts from the restored state, without a gap',
    async (operation) => {
      await start({ ids: ['a'] })
      await apply('x')
      leader.store.fail(operation)
      const refused = rejection(leader.raft.restore(meta, stream()))
      expect(await cluster.clock.wait(refused)).toMatchObject({ outcome: 'unknown' })
      expect(leader.raft.state).toBe('stopped')
      await cluster.restart(leader)
      await cluster.leader()
      await apply('after')
      expect(leader.machine.texts).toEqual(['old', 'older', 'after'])
    },
  )

  it('by the loss of leadership is not made by the others; this server sees it and stops', async () => {
    await start()
    await apply('x')
    const old = leader
    const unblock = blockSnapshots()
    const lost = rejection(old.raft.restore(meta, stream()))
    await cluster.clock.until(() => old.machine.restores === 1)
    cluster.network.isolate(old.id)
    leader = await cluster.leader(cluster.others(old))
    expect(await lost).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
    await apply('after')
    unblock()
    cluster.network.heal()
    await cluster.clock.until(() => old.raft.state === 'stopped')
    expect(old.machine.texts).toEqual(['old', 'older'])
    for (const { machine } of cluster.others(old)) expect(machine.texts).toEqual(['x', 'after'])
    const [error] = old.logger.at('error').slice(-1)
    expect(error?.fields['error']).toContain('empty its stores')
  })
})
