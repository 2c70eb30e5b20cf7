// `pnpm bench:snapshot [--json] [--mebibytes 1024]`
// One snapshot: written to a file and synced, read back with its checksum, and sent over loopback TCP to another process
// that reads and drops it. The file is read from the page cache, so that number is of the checksum, not of the disk.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import type { InstallSnapshotRequest, InstallSnapshotResponse } from '@raftkit/interface'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { createTcpTransport } from '@raftkit/transport-tcp'
import { describeMachine } from './machine.ts'

const MiB = 2 ** 20
const CHUNK_BYTES = 256 * 1024
const header = { protocolVersion: 3, id: 'bench', address: '' }

const { values: options } = parseArgs({
  // pnpm hands a lone `--` through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    json: { type: 'boolean', default: false },
    mebibytes: { type: 'string', default: '1024' },
    receive: { type: 'boolean', default: false },
  },
})

/** The bytes of a snapshot, without any work. */
async function* chunks(size: number): AsyncGenerator<Uint8Array, void, undefined> {
  const chunk = new Uint8Array(CHUNK_BYTES).map((_, place) => (place * 31) & 0xff)
  for (let left = size; left > 0; left -= CHUNK_BYTES) yield chunk.subarray(0, left)
}

/** Mebibytes per second of something that handles so many bytes. */
async function rateOf(size: number, work: () => Promise<void>): Promise<number> {
  const started = performance.now()
  await work()
  return size / MiB / ((performance.now() - started) / 1000)
}

/** What the other process does: reads every snapshot to its end. */
async function receive(): Promise<void> {
  const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
  transport.setHandler(async (_request, { snapshot }): Promise<InstallSnapshotResponse> => {
    let size = 0
    for await (const chunk of snapshot ?? []) size += chunk.byteLength
    return { type: 'install-snapshot', header, term: size, success: true }
  })
  process.send?.(transport.localAddress)
  process.once('disconnect', () => void transport.close())
}

async function measureFile(size: number): Promise<{ write: number; read: number }> {
  const directory = await mkdtemp(join(tmpdir(), 'raftkit-bench-'))
  try {
    const store = await FileSnapshotStore.open(directory)
    const configuration = { servers: [] }
    const sink = await store.create({ index: 1, term: 1, configuration, configurationIndex: 1 })
    const write = await rateOf(size, async () => {
      for await (const chunk of chunks(size)) await sink.write(chunk)
      await sink.close()
    })
    const read = await rateOf(size, async () => (await store.open(sink.id)).close())
    return { write, read }
  } finally {
    await rm(directory, { recursive: true })
  }
}

async function measureWire(size: number): Promise<number> {
  const receiver = fork(fileURLToPath(import.meta.url), ['--receive'])
  try {
    const [address] = (await once(receiver, 'message')) as [string]
    await using transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    const request: InstallSnapshotRequest = {
      type: 'install-snapshot',
      header,
      term: 1,
      snapshotVersion: 1,
      lastLogIndex: 1,
      lastLogTerm: 1,
      peers: new Uint8Array(0),
      configuration: new Uint8Array(0),
      configurationIndex: 1,
      size,
    }
    return await rateOf(size, async () => {
      const peer = { id: 'receiver', address }
      const answer = await transport.installSnapshot(peer, request, chunks(size))
      if (answer.term !== size) throw new Error(`${answer.term} of ${size} bytes arrived`)
    })
  } finally {
    receiver.disconnect()
    await once(receiver, 'exit')
  }
}

async function measure(size: number): Promise<void> {
  const { write, read } = await measureFile(size)
  const wire = await measureWire(size)
  const row = { fileWrite: write, fileReadAndCheck: read, loopbackTcp: wire }
  if (options.json) {
    console.log(
      JSON.stringify({ machine: describeMachine(), bytes: size, mebibytesPerSecond: row }),
    )
    return
  }
  console.log(`${describeMachine()}; one snapshot of ${size / MiB} MiB, MiB/s`)
  console.log(`file written and synced  ${write.toFixed(0)}`)
  console.log(`file read and checked    ${read.toFixed(0)}`)
  console.log(`over loopback TCP        ${wire.toFixed(0)}`)
}

if (options.receive) await receive()
else await measure(Number(options.mebibytes) * MiB)
