import { createTcpTransport } from '@raftkit/transport-tcp'
import { expect, it } from 'vitest'

const header = { protocolVersion: 3, id: 'n1', address: '127.0.0.1:1' }

it('calls, pipelines and snapshots', async () => {
  await using a = await createTcpTransport({ bind: '127.0.0.1:0' })
  await using b = await createTcpTransport({ bind: '127.0.0.1:0' })
  let got = 0
  b.setHandler(async (request, context) => {
    switch (request.type) {
      case 'append-entries':
        return {
          type: 'append-entries',
          header,
          term: request.term,
          lastLogIndex: 1,
          success: true,
          noRetryBackoff: false,
        }
      case 'install-snapshot':
        for await (const chunk of context.snapshot!) got += chunk.length
        return { type: 'install-snapshot', header, term: 1, success: true }
      case 'forward':
        return { type: 'forward', header, payload: request.payload }
      default:
        throw new Error('unexpected command')
    }
  })
  const peer = { id: 'b', address: b.localAddress }
  const reply = await a.call(peer, { type: 'forward', header, payload: new Uint8Array([1, 2, 3]) })
  expect([...reply.payload]).toEqual([1, 2, 3])
  await expect(a.call(peer, { type: 'timeout-now', header })).rejects.toMatchObject({
    code: 'RAFT_RPC_UNSUPPORTED',
  })
  const pipeline = await a.openPipeline(peer)
  const answers = await Promise.all(
    [1, 2, 3].map((term) =>
      pipeline.send({
        type: 'append-entries',
        header,
        term,
        prevLogIndex: 0,
        prevLogTerm: 0,
        leaderCommit: 0,
        entries: null,
      }),
    ),
  )
  expect(answers.map((r) => r.term)).toEqual([1, 2, 3])
  const size = 64 * 1024 * 1024
  async function* source() {
    for (let i = 0; i < 64; i++) yield new Uint8Array(1024 * 1024)
  }
  await a.installSnapshot(
    peer,
    {
      type: 'install-snapshot',
      header,
      snapshotVersion: 1,
      term: 1,
      lastLogIndex: 1,
      lastLogTerm: 1,
      peers: new Uint8Array(),
      configuration: new Uint8Array(),
      configurationIndex: 1,
      size,
    },
    source(),
  )
  expect(got).toBe(size)
})
