import { once } from 'node:events'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { silentLogger } from '@raftkit/interface'
import { afterEach, describe, expect, it } from 'vitest'
import { createRaftNode } from '../../src/index.ts'
import { SESSION_HEADER_BYTES } from '../../src/sessions/session-header.ts'
import { DiskCluster, freeAddresses } from '../disk-cluster.ts'
import { ledger } from '../ledger.ts'

let cluster: DiskCluster

afterEach(async () => {
  await cluster.remove()
})

async function send(address: string, bytes: Uint8Array | string): Promise<Socket> {
  const [host, port] = address.split(':')
  const socket = connect(Number(port), host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  socket.resume()
  return socket
}

describe('createRaftNode', () => {
  it('runs three nodes on TCP and disk; each takes commands', async () => {
    cluster = await DiskCluster.create(3)
    await cluster.start()
    for (const [i, node] of [...cluster.nodes.values()].entries())
      expect(await node.apply(`command ${i}`)).toEqual({ position: i + 1 })
    for (const node of cluster.nodes.values())
      expect(await node.query('all')).toEqual(['command 0', 'command 1', 'command 2'])
  })

  it('goes on when the leader stops, with a hand-over instead of an election', async () => {
    cluster = await DiskCluster.create(3)
    await cluster.start()
    const { leader } = cluster
    await leader.apply('before')
    const term = leader.raft.currentTerm
    await leader.stop()
    cluster.nodes.delete(leader.address)
    const [survivor] = cluster.nodes.values()
    expect(await survivor!.apply('after')).toEqual({ position: 2 })
    expect(cluster.leader.raft.currentTerm).toBe(term + 1)
  })

  it('finds everything again after all nodes were restarted, snapshots included', async () => {
    cluster = await DiskCluster.create(3)
    await cluster.start()
    for (let i = 0; i < 20; i += 1) await cluster.leader.apply(`command ${i}`)
    await cluster.leader.raft.snapshot()
    await cluster.leader.apply('after the snapshot')
    await cluster.stop()
    await cluster.start()
    for (const node of cluster.nodes.values()) {
      const all = await node.query('all')
      expect([all.length, all[0], all.at(-1)]).toEqual([21, 'command 0', 'after the snapshot'])
    }
    expect(await readdir(cluster.dataDir(cluster.addresses[0]!))).toEqual(
      expect.arrayContaining(['log', 'snapshots']),
    )
  })

  it('keeps working through garbage, HTTP and unknown requests on its port', async () => {
    cluster = await DiskCluster.create(3)
    await cluster.start()
    const { leader } = cluster
    const term = leader.raft.currentTerm
    for (const address of cluster.addresses) {
      const sockets = await Promise.all([
        send(address, 'GET / HTTP/1.1\r\nHost: raft\r\n\r\n'),
        send(
          address,
          Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) % 256),
        ),
        send(address, new Uint8Array([0x7f, 0x80])),
        send(address, new Uint8Array([0x00, 0xdf, 0xff, 0xff, 0xff, 0xff])),
        send(address, new Uint8Array([0x80, 0xc1])),
      ])
      expect(await cluster.leader.apply(`while ${address} is bothered`)).toBeDefined()
      for (const socket of sockets.slice(0, 3)) if (!socket.closed) await once(socket, 'close')
      for (const socket of sockets) socket.destroy()
    }
    expect(leader.isLeader).toBe(true)
    expect(leader.raft.currentTerm).toBe(term)
    for (const node of cluster.nodes.values()) expect(await node.query('all')).toHaveLength(3)
  })

  it('refuses a command over the limit on every node, and goes on', async () => {
    cluster = await DiskCluster.create(3)
    await cluster.start()
    // What stands beside the command, and what MessagePack puts before a long text.
    const header = SESSION_HEADER_BYTES + 5
    for (const node of cluster.nodes.values())
      await expect(node.apply('x'.repeat(2 ** 20 - header + 1))).rejects.toMatchObject({
        code: 'RAFT_COMMAND_TOO_LARGE',
        outcome: 'not-committed',
      })
    for (const node of cluster.nodes.values())
      expect(await node.apply('x'.repeat(2 ** 20 - header))).toBeDefined()
  })

  it('refuses a data directory of another node, and leaves nothing open', async () => {
    cluster = await DiskCluster.create(1)
    await cluster.start()
    await cluster.stop()
    const [address] = cluster.addresses
    const foreign = { id: 'other', peers: [{ id: 'other', address: address! }] }
    await expect(cluster.startNode(address!, foreign)).rejects.toMatchObject({
      code: 'RAFT_STORE_FOREIGN',
    })
    const node = await cluster.startNode(address!)
    await node.whenReady()
  })

  it('refuses a data directory that another node has open', async () => {
    cluster = await DiskCluster.create(1)
    await cluster.start()
    const [address] = await freeAddresses(1)
    const dataDir = cluster.dataDir(cluster.addresses[0]!)
    await expect(
      createRaftNode({
        address: address!,
        peers: [address!],
        dataDir,
        stateMachine: ledger(),
        logger: silentLogger,
      }),
    ).rejects.toMatchObject({ code: 'RAFT_STORE_LOCKED' })
    expect(await cluster.leader.apply('unharmed')).toEqual({ position: 1 })
  })

  it('closes its store when the address is taken', async () => {
    cluster = await DiskCluster.create(1)
    const [address] = cluster.addresses
    const squatter = createServer().listen(Number(address!.split(':')[1]), '127.0.0.1')
    await once(squatter, 'listening')
    await expect(cluster.startNode(address!)).rejects.toMatchObject({ code: 'RAFT_LISTEN_FAILED' })
    await new Promise((resolve) => squatter.close(resolve))
    const node = await cluster.startNode(address!)
    await node.whenReady()
  })

  it('closes its port and its store when the state machine cannot be restored', async () => {
    cluster = await DiskCluster.create(1)
    await cluster.start()
    await cluster.leader.apply('x')
    await cluster.leader.raft.snapshot()
    await cluster.stop()
    const [address] = cluster.addresses
    const stateMachine = ledger()
    stateMachine.restore = () => Promise.reject(new Error('cannot'))
    await expect(cluster.startNode(address!, { stateMachine })).rejects.toThrow(/./)
    const node = await cluster.startNode(address!)
    await node.whenReady()
    expect(await node.query('all')).toEqual(['x'])
  })

  it('creates nothing when an option is wrong', async () => {
    cluster = await DiskCluster.create(1)
    const [address] = cluster.addresses
    await expect(cluster.startNode(address!, { maxPool: 0 })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
    })
    expect(await readdir(cluster.directory)).toEqual([])
  })

  it('refuses a data directory that is a file', async () => {
    cluster = await DiskCluster.create(1)
    const [address] = cluster.addresses
    await mkdir(cluster.directory, { recursive: true })
    await writeFile(join(cluster.directory, 'file'), 'mine')
    const dataDir = join(cluster.directory, 'file')
    await expect(cluster.startNode(address!, { dataDir })).rejects.toMatchObject({
      code: 'RAFT_INVALID_ARGUMENT',
      message: expect.stringContaining('is a file') as string,
    })
  })

  it('listens where bind says and is reached where address says', async () => {
    cluster = await DiskCluster.create(1)
    const [address] = cluster.addresses
    const [bind] = await freeAddresses(1)
    const node = await cluster.startNode(address!, { bind: bind! })
    await node.whenReady()
    expect(node.address).toBe(address)
    ;(await send(bind!, '')).destroy()
    await expect(send(address!, '')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('waits to be added when it does not bootstrap', async () => {
    cluster = await DiskCluster.create(1)
    const node = await cluster.startNode(cluster.addresses[0]!, { bootstrap: false })
    expect(node.raft.configuration().configuration.servers).toEqual([])
    await expect(node.apply('x', { timeoutMs: 50 })).rejects.toMatchObject({
      code: 'RAFT_NO_LEADER',
    })
  })
})
