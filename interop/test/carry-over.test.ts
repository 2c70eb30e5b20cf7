// A whole data directory of a stopped Go server becomes that of a Node server with the same id and address.
import { execFile, spawn } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { importLog, LevelStore } from '@raftkit/store-level'
import { describe, expect, inject, it } from 'vitest'
import { ClusterServer } from '../src/cluster-server.ts'
import { DEFAULT_CONFIG } from '../src/cluster.ts'
import { carryOver } from '../src/carry-over.ts'
import { goPrograms } from '../src/server-kind.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const run = promisify(execFile)

async function goServer(directory: string, trailingLogs: number): Promise<ClusterServer> {
  const config = { ...DEFAULT_CONFIG, trailingLogs }
  const server = new ClusterServer('go', { id: 'n1', directory, config })
  await server.launch()
  await server.join([server.member])
  await server.until('leadership', ({ state }) => state === 'leader')
  return server
}

describe.runIf(inject('hasGo'))('the data of a Go server', () => {
  it.each([
    ['with all of its log', 10_000, false],
    ['with a snapshot and the end of its log', 50, true],
  ])('%s moves to a Node server', async (_, trailingLogs, takesSnapshot) => {
    const root = await temporaryDirectory()
    const go = await goServer(join(root, 'go'), trailingLogs)
    for (let i = 0; i < 300; i += 1) await go.call('put', { key: `k${i}`, value: `v${i}` })
    if (takesSnapshot) await go.call('snapshot')
    await go.call('put', { key: 'last', value: 'one' })
    const before = await go.status()
    const wanted = await go.call('log', { from: 1, to: before.lastIndex })
    const state = await go.call('state')
    expect(before.firstIndex > 1).toBe(takesSnapshot)
    await go.kill()

    const directory = join(root, 'node')
    await carryOver({ from: go.directory, to: directory, serverId: 'n1' })
    const node = new ClusterServer('node', {
      id: 'n1',
      directory,
      config: go.config,
      address: go.address,
    })
    await node.launch()
    await node.join()
    await node.until('leadership', (status) => status.state === 'leader')
    await node.call('barrier')
    expect(await node.call('state')).toEqual(state)
    expect(await node.call('log', { from: 1, to: before.lastIndex })).toEqual(wanted)
    expect((await node.status()).term).toBeGreaterThan(before.term)
    await node.kill()
  })

  it('is not exported while the server runs', async () => {
    const go = await goServer(await temporaryDirectory(), 100)
    await expect(run(goPrograms.go, ['export-log', go.directory])).rejects.toThrow(
      'stop the server first',
    )
    await go.kill()
  })

  it('keeps the vote', async () => {
    const root = await temporaryDirectory()
    const go = await goServer(join(root, 'go'), 100)
    const { term } = await go.status()
    const address = go.address
    await go.kill()
    await cp(go.directory, join(root, 'copy'), { recursive: true })
    const child = spawn(goPrograms.go, ['export-log', join(root, 'copy')])
    const directory = join(root, 'log')
    expect(await importLog({ directory, source: child.stdout })).toMatchObject({
      firstIndex: 1,
      term,
    })
    const store = await LevelStore.open(directory)
    expect(await store.loadHardState()).toEqual({ term, votedFor: { id: 'n1', address } })
    await store.close()
  })
})
