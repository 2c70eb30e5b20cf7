// The two transports against each other, without a server behind either.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import {
  type AppendEntriesRequest,
  LogType,
  RaftError,
  type RpcContext,
  type RpcHeader,
  type RpcRequest,
  type RpcResponse,
} from '@raftkit/interface'
import { createTcpTransport } from '@raftkit/transport-tcp'
import { encodeEntries } from '@raftkit/wire'
import { describe, expect, inject, it, onTestFinished } from 'vitest'
import { ClusterServer } from '../src/cluster-server.ts'
import { DEFAULT_CONFIG } from '../src/cluster.ts'
import { goPrograms } from '../src/server-kind.ts'
import { ServerProcess } from '../src/server-process.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const run = promisify(execFile)
const header: RpcHeader = { protocolVersion: 3, id: 'node', address: 'node:1', extensionLevel: 1 }
const goHeader: RpcHeader = { protocolVersion: 3, id: 'go', address: 'go:1' }

function append(term: number, count: number): AppendEntriesRequest {
  const inputs = Array.from({ length: count }, (_, i) => ({
    type: LogType.command,
    data: new Uint8Array(i * i).fill(i),
  }))
  const entries = count === 0 ? [] : [encodeEntries(11, 4, inputs, Date.now())]
  const common = { header, prevLogIndex: 10, prevLogTerm: 4, leaderCommit: 0 }
  return { type: 'append-entries', ...common, term, entries }
}

async function codeOf(call: Promise<unknown>): Promise<string> {
  const error: unknown = await call.catch((reason: unknown) => reason)
  return RaftError.is(error) ? `${error.code}: ${error.message}` : 'no RaftError'
}

/** Answers as the Go program's `answer` does. */
async function answer(request: RpcRequest, { snapshot }: RpcContext): Promise<RpcResponse> {
  if ('term' in request && request.term === 14) throw new Error('node says no')
  switch (request.type) {
    case 'append-entries': {
      const count = (request.entries ?? []).reduce((sum, batch) => sum + batch.count, 0)
      const lastLogIndex = request.prevLogIndex + count
      const { type, term } = request
      return { type, header, term, lastLogIndex, success: true, noRetryBackoff: false }
    }
    case 'request-vote':
    case 'request-pre-vote':
      return { type: request.type, header, term: request.term, granted: true }
    case 'install-snapshot': {
      let sum = 0
      let size = 0
      for await (const chunk of snapshot ?? []) {
        sum = crc32(chunk, sum)
        size += chunk.length
      }
      return { type: request.type, header, term: sum, success: size === request.size }
    }
    case 'timeout-now':
      return { type: request.type, header }
    case 'forward':
      throw new Error('a Go client does not know this')
  }
}

async function goTransport(kind: 'go' | 'go-1.6'): Promise<{ id: string; address: string }> {
  const log = join(await temporaryDirectory(), 'answer.log')
  const server = await ServerProcess.start([goPrograms[kind], 'answer'], log)
  onTestFinished(() => server.kill())
  return { id: 'go', address: server.address }
}

describe.runIf(inject('hasGo'))('transports', () => {
  it.each(['go', 'go-1.6'] as const)('of Node answers every call of %s', async (kind) => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    transport.setHandler(answer)
    const { stdout } = await run(goPrograms[kind], ['probe', transport.localAddress])
    const refused = { success: false, term: 0, error: 'node says no' }
    expect(JSON.parse(stdout)).toEqual([
      { rpc: 'AppendEntries', term: 5, lastLog: 10, success: true },
      { rpc: 'AppendEntries', term: 6, lastLog: 13, success: true },
      { rpc: 'AppendEntries', term: 7, lastLog: 310, success: true },
      { rpc: 'AppendEntries', ...refused },
      ...[127, 255, 65_536, Number.MAX_SAFE_INTEGER].map((term) => ({
        rpc: 'RequestVote',
        term,
        success: true,
      })),
      { rpc: 'RequestVote', ...refused },
      ...(kind === 'go' ? [{ rpc: 'RequestPreVote', term: 8, success: true }] : []),
      { rpc: 'TimeoutNow', term: 0, success: true },
      ...[0, 1, 16 << 20].map(() => ({
        rpc: 'InstallSnapshot',
        term: expect.any(Number) as number,
        success: true,
      })),
      { rpc: 'Pipeline', term: 300, success: true },
    ])
  })

  it('of Go answers every call of Node', async () => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    const peer = await goTransport('go')
    const last = { lastLogIndex: 7, lastLogTerm: 3 }

    for (const count of [0, 1, 15, 16, 300])
      expect(await transport.call(peer, append(5, count))).toEqual({
        type: 'append-entries',
        header: goHeader,
        term: 5,
        lastLogIndex: 10 + count,
        success: true,
        noRetryBackoff: false,
      })
    for (const term of [127, 255, 65_536, Number.MAX_SAFE_INTEGER])
      for (const leadershipTransfer of [true, false]) {
        const type = 'request-vote'
        const vote = { type, header, term, ...last, leadershipTransfer } as const
        const wanted = { type, header: goHeader, term, granted: leadershipTransfer }
        expect(await transport.call(peer, vote)).toEqual(wanted)
      }
    const preVote = { type: 'request-pre-vote', header, term: 8, ...last } as const
    expect(await transport.call(peer, preVote)).toMatchObject({ term: 8, granted: true })
    // hashicorp/raft fills no header into these.
    expect(await transport.call(peer, { type: 'timeout-now', header })).toEqual({
      type: 'timeout-now',
      header: { protocolVersion: 0, id: '', address: '' },
    })
  })

  it('of Node takes an error of Go with a body and without one, and goes on', async () => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    const peer = await goTransport('go')
    for (const term of [13, 14, 13])
      expect(await codeOf(transport.call(peer, append(term, 1)))).toMatch(
        /^RAFT_REMOTE_ERROR: .*go says no/,
      )
    expect(await transport.call(peer, append(5, 1))).toMatchObject({ success: true })
  })

  it.each(['go', 'node'] as const)(
    'take only the versions 2 and 3 to a %s server',
    async (kind) => {
      const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
      onTestFinished(() => transport.close())
      const directory = await temporaryDirectory()
      const server = new ClusterServer(kind, { id: 'n1', directory, config: DEFAULT_CONFIG })
      onTestFinished(() => server.kill())
      await server.launch()
      await server.join()
      const call = (protocolVersion: number): Promise<string> => {
        const request = { ...append(5, 0), header: { ...header, protocolVersion } }
        const answered = transport.call(server, request).then(() => 'answered')
        return answered.catch((error: unknown) => (RaftError.is(error) ? error.message : 'other'))
      }
      const refused = expect.stringContaining(
        'operation not supported with current protocol version',
      ) as string
      expect(await Promise.all([0, 1, 2, 3, 4].map(call))).toEqual([
        refused,
        refused,
        'answered',
        'answered',
        refused,
      ])
    },
  )

  it('of Node sends ahead to Go and gets answers in order', async () => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    const pipeline = await transport.openPipeline(await goTransport('go'))
    const answers = Array.from({ length: 120 }, (_, i) => pipeline.send(append(100 + i, i)))
    expect(
      (await Promise.all(answers)).map(({ term, lastLogIndex }) => [term, lastLogIndex]),
    ).toEqual(answers.map((_, i) => [100 + i, 10 + i]))
    pipeline.close()
  })

  it.each([0, 1, 16 << 20])('of Node sends Go a snapshot of %d bytes', async (size) => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    const peer = await goTransport('go')
    const state = new Uint8Array(size).fill(7)
    async function* parts(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < size; at += 100_000) yield state.subarray(at, at + 100_000)
    }
    const none = new Uint8Array(0)
    const response = await transport.installSnapshot(
      peer,
      {
        type: 'install-snapshot',
        header,
        snapshotVersion: 1,
        term: 5,
        lastLogIndex: 7,
        lastLogTerm: 3,
        peers: none,
        configuration: none,
        configurationIndex: 1,
        size,
      },
      parts(),
    )
    expect(response).toMatchObject({ term: crc32(state), success: true })
    expect(await transport.call(peer, append(5, 1))).toMatchObject({ success: true })
  })

  it('of Go 1.6 closes on a pre-vote, which is unsupported and not a denial', async () => {
    const transport = await createTcpTransport({ bind: '127.0.0.1:0' })
    onTestFinished(() => transport.close())
    const peer = await goTransport('go-1.6')
    const preVote = {
      type: 'request-pre-vote',
      header,
      term: 8,
      lastLogIndex: 7,
      lastLogTerm: 3,
    } as const
    for (let i = 0; i < 3; i += 1) {
      expect(await codeOf(transport.call(peer, preVote))).toMatch(/^RAFT_RPC_UNSUPPORTED/)
      expect(await transport.call(peer, append(5, 1))).toMatchObject({ success: true })
    }
  })
})
