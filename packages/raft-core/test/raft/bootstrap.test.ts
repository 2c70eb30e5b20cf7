import { bootstrapCluster, getConfiguration, hasExistingState } from '@raftkit/raft-core'
import { type Configuration, LogType } from '@raftkit/interface'
import { InmemSnapshotStore, InmemStore } from '@raftkit/store-inmem'
import { decodeConfiguration, decodeEntry } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { numbered } from '../support/batches.ts'
import { ControlledStore } from '../support/controlled-store.ts'
import { rejection } from '../support/rejection.ts'

const configuration: Configuration = {
  servers: [
    { suffrage: 'voter', id: 'a', address: 'a:1' },
    { suffrage: 'nonvoter', id: 'b', address: 'b:1' },
  ],
}
let store: InmemStore
let snapshotStore: InmemSnapshotStore
const stores = () => ({ logStore: store, stableStore: store, snapshotStore })

beforeEach(() => {
  store = new InmemStore()
  snapshotStore = new InmemSnapshotStore()
})

async function saveSnapshot(index: number, configurationIndex: number): Promise<void> {
  const sink = await snapshotStore.create({ index, term: 1, configuration, configurationIndex })
  await sink.close()
}

describe('bootstrapCluster', () => {
  it('writes the configuration as entry 1 of term 1', async () => {
    await bootstrapCluster({ ...stores(), configuration })
    expect(await store.bounds()).toEqual({ firstIndex: 1, lastIndex: 1 })
    expect(await store.loadHardState()).toEqual({ term: 1 })
    const entry = decodeEntry(await store.read(1, 1, { maxBytes: 1e6 }), 1)
    expect(entry).toMatchObject({ index: 1, term: 1, type: LogType.configuration })
    expect(entry.appendedAt).toBeUndefined()
    expect(decodeConfiguration(entry.data)).toEqual(configuration)
  })

  it('is refused on a server that has state', async () => {
    await bootstrapCluster({ ...stores(), configuration })
    const refused = await rejection(bootstrapCluster({ ...stores(), configuration }))
    expect(refused.code).toBe('RAFT_CANT_BOOTSTRAP')
  })

  it('may be done again when a crash cut it short', async () => {
    const disk = new ControlledStore(store)
    disk.fail('saveHardState')
    const torn = { ...stores(), stableStore: disk, logStore: disk, configuration }
    await expect(bootstrapCluster(torn)).rejects.toThrow('input/output error')
    expect(await hasExistingState(stores())).toBe(false)
    await bootstrapCluster({ ...stores(), configuration })
    expect(await store.bounds()).toEqual({ firstIndex: 1, lastIndex: 1 })
    expect(await hasExistingState(stores())).toBe(true)
  })

  it.each<[string, Configuration, string]>([
    ['no voter', { servers: [configuration.servers[1]!] }, 'need at least one voter'],
    ['nobody', { servers: [] }, 'need at least one voter'],
    [
      'an id twice',
      { servers: [configuration.servers[0]!, { suffrage: 'voter', id: 'a', address: 'c:1' }] },
      'found duplicate ID in configuration: a',
    ],
    [
      'an address twice',
      { servers: [configuration.servers[0]!, { suffrage: 'voter', id: 'c', address: 'a:1' }] },
      'found duplicate address in configuration: a:1',
    ],
    ['an empty id', { servers: [{ suffrage: 'voter', id: '', address: 'a:1' }] }, 'empty ID'],
    [
      'an empty address',
      { servers: [{ suffrage: 'voter', id: 'a', address: '' }] },
      'empty address',
    ],
    [
      'two halves',
      {
        servers: [{ suffrage: 'voter', id: 'a', address: 'a' }],
        next: [{ suffrage: 'voter', id: 'b', address: 'b' }],
      },
      'the configuration is joint',
    ],
  ])('refuses a configuration with %s', async (_, wrong, message) => {
    const refused = await rejection(bootstrapCluster({ ...stores(), configuration: wrong }))
    expect(refused.code).toBe('RAFT_INVALID_CONFIGURATION')
    expect(refused.message).toContain(message)
    expect(await hasExistingState(stores())).toBe(false)
  })
})

describe('hasExistingState', () => {
  it('is false on a new server', async () => {
    expect(await hasExistingState(stores())).toBe(false)
  })

  it('is false with the first term alone: the bootstrap of a running server was cut short', async () => {
    await store.saveHardState({ term: 1 })
    expect(await hasExistingState(stores())).toBe(false)
    await bootstrapCluster({ ...stores(), configuration })
    expect(await hasExistingState(stores())).toBe(true)
  })

  it.each<[string, () => Promise<unknown>]>([
    ['a term', () => store.saveHardState({ term: 2 })],
    ['a vote', () => store.saveHardState({ term: 1, votedFor: { id: 'a', address: 'a:1' } })],
    ['a command', () => store.append([numbered(1, 1, 1)])],
    ['a later entry', () => store.append([numbered(7, 1, 1)])],
    ['a snapshot', () => saveSnapshot(5, 1)],
  ])('is true with %s', async (_, give) => {
    await give()
    expect(await hasExistingState(stores())).toBe(true)
  })
})

describe('getConfiguration', () => {
  it('is empty on a new server', async () => {
    expect(await getConfiguration(stores())).toEqual({ configuration: { servers: [] }, index: 0 })
  })

  it('finds the newest in the log', async () => {
    await bootstrapCluster({ ...stores(), configuration })
    expect(await getConfiguration(stores())).toEqual({ configuration, index: 1 })
  })

  it('finds that of a snapshot when the log has none', async () => {
    await saveSnapshot(5, 3)
    await store.append([numbered(6, 1, 2)])
    expect(await getConfiguration(stores())).toEqual({ configuration, index: 3 })
  })
})
