// One server of the benchmark: a Raft over TCP in its own process, told what to do over the process channel.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { LogStore, SnapshotStore, StableStore, StateMachine } from '@raftkit/interface'
import { bootstrapCluster, Raft } from '@raftkit/raft-core'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { LevelStore } from '@raftkit/store-level'
import { createTcpTransport } from '@raftkit/transport-tcp'
import { runLoad } from './load.ts'
import type { Command, Report, StoreKind } from './protocol.ts'

/** Counts commands: the cheapest state machine that can still be compared between servers. */
class Counter implements StateMachine<number> {
  #count = 0

  apply(): number {
    return ++this.#count
  }

  snapshot(): {
    persist: (writer: { write: (chunk: Uint8Array) => Promise<void> }) => Promise<void>
  } {
    const bytes = new TextEncoder().encode(String(this.#count))
    return { persist: (writer) => writer.write(bytes) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of state) text += new TextDecoder().decode(chunk)
    this.#count = Number(text)
  }
}

function report(message: Report): void {
  process.send?.(message)
}

async function openStores(
  kind: StoreKind,
  directory: string,
): Promise<{ logAndStable: LogStore & StableStore; snapshots: SnapshotStore }> {
  if (kind === 'store-inmem')
    return { logAndStable: new InmemStore(), snapshots: new InmemSnapshotStore() }
  return {
    logAndStable: await LevelStore.open(join(directory, 'log')),
    snapshots: await FileSnapshotStore.open(directory, { retain: 2 }),
  }
}

const kind = process.argv[2] as StoreKind
const directory = await mkdtemp(join(tmpdir(), 'raftkit-bench-'))
const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
const stores = await openStores(kind, directory)
let raft: Raft<number> | undefined
let leaderChanges = 0

async function start(command: Extract<Command, { type: 'start' }>): Promise<void> {
  const { logAndStable: store, snapshots } = stores
  if (command.bootstrap)
    await bootstrapCluster({
      logStore: store,
      stableStore: store,
      snapshotStore: snapshots,
      configuration: command.configuration,
    })
  raft = await Raft.start({
    id: transport.localAddress,
    stateMachine: new Counter(),
    logStore: store,
    stableStore: store,
    snapshotStore: snapshots,
    transport,
  })
  raft.on('leader-changed', () => leaderChanges++)
  raft.on('leader-ready', ({ term }) => report({ type: 'leader', term }))
}

async function stop(): Promise<void> {
  await raft?.shutdown()
  await stores.logAndStable.close()
  await rm(directory, { recursive: true, force: true })
  process.disconnect()
}

async function handle(command: Command): Promise<void> {
  switch (command.type) {
    case 'start':
      await start(command)
      return
    case 'load': {
      if (!raft) throw new Error('load before start')
      const before = leaderChanges
      const result = await runLoad(raft, command.load, () => report({ type: 'measuring' }))
      return report({
        type: 'loaded',
        result: { ...result, leaderChanges: leaderChanges - before },
      })
    }
    case 'cpu': {
      const usage = process.cpuUsage()
      return report({ type: 'cpu', microseconds: usage.user + usage.system })
    }
    case 'stop':
      await stop()
  }
}

process.on('message', (command: Command) => {
  handle(command).catch((error: unknown) => {
    report({
      type: 'failed',
      message: error instanceof Error ? (error.stack ?? '') : String(error),
    })
  })
})
process.on('disconnect', () => process.exit())
report({ type: 'listening', address: transport.localAddress })
