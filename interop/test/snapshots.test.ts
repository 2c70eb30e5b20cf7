// Snapshot directories are interchangeable: each library lists, verifies and restores what the other wrote.
import { execFile } from 'node:child_process'
import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createKvMachine, type Digest } from '@raftkit-examples/kv/kv-machine'
import type { LogEntry, SnapshotMeta } from '@raftkit/interface'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { describe, expect, inject, it } from 'vitest'
import { ClusterServer } from '../src/cluster-server.ts'
import { DEFAULT_CONFIG } from '../src/cluster.ts'
import { goPrograms } from '../src/server-kind.ts'
import { temporaryDirectory } from './temporary-directory.ts'

interface SnapshotReport extends Pick<SnapshotMeta, 'id' | 'index' | 'term' | 'size'> {
  readonly configurationIndex: number
  readonly members: unknown
  readonly digest: Digest
}

const run = promisify(execFile)

async function goReport(directory: string): Promise<readonly SnapshotReport[]> {
  const { stdout } = await run(goPrograms.go, ['snapshots', directory])
  return JSON.parse(stdout) as readonly SnapshotReport[]
}

async function digestOf(machine: ReturnType<typeof createKvMachine>): Promise<Digest> {
  const answer = await machine.answer(machine.encodeQuery({ type: 'digest' }))
  const { digest } = machine.decodeAnswer(answer)
  if (digest === undefined) throw new Error('no digest')
  return digest
}

const member = { suffrage: 'voter' as const, id: 'n1', address: '127.0.0.1:7001' }
const learner = { suffrage: 'nonvoter' as const, id: 'n<2>&', address: '127.0.0.1:7002' }

describe.runIf(inject('hasGo'))('snapshot directories', () => {
  it('of Node are listed, verified and restored by Go', async () => {
    const directory = await temporaryDirectory()
    const store = await FileSnapshotStore.open(directory, { retain: 2 })
    const machine = createKvMachine()
    const written: [SnapshotMeta, Digest][] = []
    // The second has more pairs than one part of a snapshot holds.
    for (const [from, to] of [
      [1, 10],
      [11, 1500],
    ] as const) {
      for (let index = from; index <= to; index += 1) {
        const data = machine.encodeCommand({ type: 'put', key: `k${index}`, value: `ü${index}` })
        const entry: LogEntry = { index, term: 3, type: 0, data }
        await machine.apply(entry)
      }
      const sink = await store.create({
        index: to,
        term: 3,
        configuration: { servers: [member, learner] },
        configurationIndex: 1,
      })
      await (await machine.snapshot()).persist(sink)
      written.unshift([await sink.close(), await digestOf(machine)])
    }
    expect(await goReport(directory)).toEqual(
      written.map(([{ id, index, term, size }, digest]) => ({
        id,
        index,
        term,
        size,
        configurationIndex: 1,
        members: [member, learner],
        digest,
      })),
    )
  })

  it('of Node that are damaged are refused by Go', async () => {
    const directory = await temporaryDirectory()
    const store = await FileSnapshotStore.open(directory, { retain: 2 })
    const configuration = { servers: [member] }
    const sink = await store.create({ index: 1, term: 1, configuration, configurationIndex: 1 })
    await (await createKvMachine().snapshot()).persist(sink)
    const { id } = await sink.close()
    await appendFile(join(directory, 'snapshots', id, 'state.bin'), 'x')
    await expect(goReport(directory)).rejects.toThrow('CRC mismatch')
  })

  it('of Go are listed, verified and restored by Node', async () => {
    const directory = await temporaryDirectory()
    const server = new ClusterServer('go', { id: 'n<1>&', directory, config: DEFAULT_CONFIG })
    await server.launch()
    await server.join([server.member])
    await server.until('leadership', ({ state }) => state === 'leader')
    for (let i = 0; i < 700; i += 1) await server.call('put', { key: `k${i}`, value: `ü${i}` })
    const { index } = await server.call('snapshot')
    const { digest } = await server.status()
    await server.stop()

    const store = await FileSnapshotStore.open(directory, { retain: 2 })
    const [meta, ...others] = await store.list()
    expect(others).toEqual([])
    expect(meta).toMatchObject({ index, configuration: { servers: [server.member] } })
    const snapshot = await store.open(meta!.id)
    const machine = createKvMachine()
    await machine.restore(snapshot.state)
    await snapshot.close()
    expect(await digestOf(machine)).toEqual(digest)
  })
})
