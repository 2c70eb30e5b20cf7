// One raftkit server that is driven over its standard input and output, the counterpart of `peer serve`:
// TCP, LevelDB, snapshot files and the state machine of examples/kv.
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { createKvMachine } from '@raftkit-examples/kv/kv-machine'
import { type Logger, messageOf, RaftError } from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft } from '@raftkit/raft-core'
import { FileSnapshotStore } from '@raftkit/snapshot-file'
import { LevelStore } from '@raftkit/store-level'
import { createTcpTransport } from '@raftkit/transport-tcp'
import type { Listening, Operations, Reply, Request } from './protocol.ts'

const { values: options } = parseArgs({
  options: {
    id: { type: 'string' },
    data: { type: 'string' },
    address: { type: 'string', default: '127.0.0.1:0' },
  },
})
const { id, data, address } = options
if (id === undefined || data === undefined) throw new Error('--id and --data are needed')

const line =
  (level: string) =>
  (fields: object, message: string): void =>
    console.error(`${new Date().toISOString()} [${level}] ${message} ${JSON.stringify(fields)}`)
const logger: Logger = {
  trace: () => {},
  debug: () => {},
  info: line('INFO'),
  warn: line('WARN'),
  error: line('ERROR'),
}

const store = await LevelStore.open(join(data, 'log'), { serverId: id })
const snapshotStore = await FileSnapshotStore.open(data, { retain: 2, logger })
const transport = await createTcpTransport({ bind: address, logger })
const stores = { logStore: store, stableStore: store, snapshotStore }
const machine = createKvMachine()
let running: Raft<Uint8Array> | undefined
let snapshotsInstalled = 0

type Act<Name extends keyof Operations> = (
  args: Operations[Name]['args'],
) => Promise<Operations[Name]['result']> | Operations[Name]['result']

const operations: { readonly [Name in keyof Operations]: Act<Name> } = {
  async start({ members, config }) {
    if (members !== undefined && !(await hasExistingState(stores)))
      await bootstrapCluster({ ...stores, configuration: { servers: members } })
    running = await Raft.start({ id, config, stateMachine: machine, transport, logger, ...stores })
    running.on('snapshot-installed', () => (snapshotsInstalled += 1))
  },

  async status() {
    const raft = server()
    const { digest } = await query({ type: 'digest' })
    if (digest === undefined) throw new Error('the state machine gave no digest')
    const { firstIndex } = await store.bounds()
    const [snapshot] = await snapshotStore.list()
    return {
      state: raft.state,
      term: raft.currentTerm,
      leader: raft.leader?.id ?? '',
      firstIndex,
      lastIndex: raft.lastIndex,
      commitIndex: raft.commitIndex,
      appliedIndex: raft.appliedIndex,
      snapshotIndex: snapshot?.index ?? 0,
      snapshotsInstalled,
      members: raft.configuration().configuration.servers.map((member) => ({
        id: member.id,
        address: member.address,
        suffrage: member.suffrage === 'voter' ? 'voter' : 'nonvoter',
      })),
      digest,
    }
  },

  async put({ key, value }) {
    const command = machine.encodeCommand({ type: 'put', key, value })
    return machine.decodeResponse((await server().apply(command)).response)
  },

  async barrier() {
    await server().barrier()
  },

  verify: () => server().verifyLeader(),

  async state() {
    const { page } = await query({ type: 'list', after: '', limit: Number.MAX_SAFE_INTEGER })
    return Object.fromEntries(page?.entries ?? [])
  },

  async log({ from, to }) {
    const { firstIndex, lastIndex } = await store.bounds()
    const entries: string[] = []
    const start = Math.max(from, firstIndex)
    for (let next = start; next > 0 && next <= Math.min(to, lastIndex);) {
      const batch = await store.read(next, Math.min(to, lastIndex), { maxBytes: 1 << 20 })
      for (; next <= batch.lastIndex; next += 1)
        entries.push(Buffer.from(batch.bytesAt(next)).toString('base64'))
    }
    return { firstIndex: start, entries }
  },

  async snapshot() {
    return { index: (await server().snapshot()).index }
  },

  transfer: ({ to }) => server().transferLeadership(to),

  async 'add-voter'({ id: added, address: where = '', ...options }) {
    await server().addVoter(added, where, options)
  },

  async 'add-nonvoter'({ id: added, address: where = '', ...options }) {
    await server().addNonvoter(added, where, options)
  },

  async 'demote-voter'({ id: demoted, ...options }) {
    await server().demoteVoter(demoted, options)
  },

  async 'remove-server'({ id: removed, ...options }) {
    await server().removeServer(removed, options)
  },

  async 'replace-server'({ id: replaced, by }) {
    await server().replaceServer(replaced, by)
  },

  async stop() {
    await running?.shutdown()
    await store.close()
    process.exit(0)
  },
}

function server(): Raft<Uint8Array> {
  if (running === undefined) throw new Error('the server is not started')
  return running
}

async function query(
  asked: Parameters<typeof machine.encodeQuery>[0],
): Promise<ReturnType<typeof machine.decodeAnswer>> {
  return machine.decodeAnswer(await machine.answer(machine.encodeQuery(asked)))
}

function write(value: Reply | Listening): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

async function answer(request: Request): Promise<Reply> {
  const act = (operations as Record<string, ((args: unknown) => unknown) | undefined>)[request.op]
  try {
    if (act === undefined) throw new Error(`unknown operation "${request.op}"`)
    return { id: request.id, result: await act(request.args) }
  } catch (error) {
    const outcome = RaftError.is(error) ? (error.outcome ?? 'unknown') : 'unknown'
    return { id: request.id, error: { message: messageOf(error), outcome } }
  }
}

// The driver is gone when the input ends.
createInterface({ input: process.stdin })
  .on('line', (text) => void answer(JSON.parse(text) as Request).then(write))
  .on('close', () => process.exit(0))
write({ listening: transport.localAddress })
