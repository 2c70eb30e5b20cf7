// Three hashicorp/raft processes as one cluster: what raftkit is measured beside.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { goPrograms } from '@raftkit-internal/interop/server-kind'
import { ServerProcess } from '@raftkit-internal/interop/server-process'
import type { Measured, MeasuredCluster } from './cluster.ts'
import type { Load } from './protocol.ts'

/**
 * How hashicorp/raft is run: with raft-boltdb and every option at its default, or with what makes it quickest: raft-wal
 * behind a LogCache of 512 entries, 512 entries per append, BatchApplyCh, and a state machine that takes batches.
 */
export type PeerKind = 'hashicorp-boltdb' | 'hashicorp-wal'

const SERVERS = 3

const setups = {
  'hashicorp-boltdb': { args: ['--store', 'bolt', '--machine', 'counter'], config: {} },
  'hashicorp-wal': {
    args: ['--store', 'wal', '--machine', 'batch-counter'],
    config: { maxAppendEntries: 512, batchApplyCh: true },
  },
} as const

/** A running cluster of hashicorp/raft servers with a known leader. */
export class PeerCluster implements MeasuredCluster {
  readonly #directory: string
  readonly #servers: readonly ServerProcess[]
  readonly #leader: ServerProcess

  private constructor(directory: string, servers: readonly ServerProcess[], leader: ServerProcess) {
    this.#directory = directory
    this.#servers = servers
    this.#leader = leader
  }

  /** Starts three processes on free ports of the loopback and waits for a leader. */
  static async start(kind: PeerKind): Promise<PeerCluster> {
    const { args, config } = setups[kind]
    const directory = await mkdtemp(join(tmpdir(), 'raftkit-bench-peer-'))
    const servers: ServerProcess[] = []
    try {
      for (let i = 1; i <= SERVERS; i++) {
        const data = join(directory, `n${i}`)
        const serve = ['serve', '--id', `n${i}`, '--data', data, ...args]
        servers.push(await ServerProcess.start([goPrograms.go, ...serve], `${data}.log`))
      }
      const members = servers.map(({ address }, i) => ({
        id: `n${i + 1}`,
        address,
        suffrage: 'voter' as const,
      }))
      const elected = Promise.race(
        servers.map(async (server) => {
          await server.next('leader')
          return server
        }),
      )
      await Promise.all(servers.map((server) => server.call('start', { members, config })))
      return new PeerCluster(directory, servers, await elected)
    } catch (error) {
      await Promise.all(servers.map((server) => server.kill()))
      await rm(directory, { recursive: true, force: true })
      throw error
    }
  }

  async measure(load: Load): Promise<Measured> {
    const measuring = this.#leader.next('measuring')
    const loaded = this.#leader.call('load', load)
    await measuring
    const before = await this.#cpu()
    const result = await loaded
    return { ...result, cpuMicroseconds: (await this.#cpu()) - before }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()))
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #cpu(): Promise<number> {
    const used = await Promise.all(this.#servers.map((server) => server.call('cpu')))
    return used.reduce((sum, { microseconds }) => sum + microseconds, 0)
  }
}
