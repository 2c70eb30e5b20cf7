import { encodeErrorResponse, encodeRequest, encodeResponse } from '@raftkit/wire'
import { describe, expect, it } from 'vitest'
import { answerTimeout } from '../../src/outbound/snapshot-sender.ts'
import {
  bytesOf,
  deferred,
  heartbeat,
  installed,
  joined,
  openPair,
  peerB,
  RawEnd,
  settle,
  snapshotOf,
  type Pair,
} from '../fixtures.ts'

async function* chunksOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

/** A source that counts what is taken from it and notices when it is let go. */
function source(chunkBytes: number, chunks: number) {
  const state = { taken: 0, released: false }
  async function* generate(): AsyncGenerator<Uint8Array> {
    try {
      for (; state.taken < chunks;) {
        state.taken += 1
        yield new Uint8Array(chunkBytes).fill(state.taken)
      }
    } finally {
      state.released = true
    }
  }
  return { state, stream: generate() }
}

/** Replaces b by plain bytes. */
async function rawB({ b, network }: Pair): Promise<RawEnd[]> {
  await b.close()
  const ends: RawEnd[] = []
  await network.layer('b:1').listen((connection) => ends.push(new RawEnd(connection)))
  return ends
}

describe('installSnapshot', () => {
  it('sends the request and exactly the bytes, on a connection of its own that is then ended', async () => {
    const pair = await openPair()
    const ends = await rawB(pair)
    const data = Uint8Array.from({ length: 1000 }, (_, at) => at % 251)
    const request = snapshotOf(data.length)
    const sending = pair.a.installSnapshot(
      peerB,
      request,
      chunksOf(data.subarray(0, 1), new Uint8Array(), data.subarray(1)),
    )
    const expected = joined([...encodeRequest(request), data])
    await settle()
    expect(await ends[0]?.receive(expected.length)).toEqual(expected)
    ends[0]?.send(encodeResponse(installed))
    expect(await sending).toEqual(installed)
    await ends[0]?.closed
    expect(pair.a.stats()).toMatchObject({ outboundConnections: 0, idleConnections: 0 })
  })

  it('sends an empty snapshot', async () => {
    const { a, b } = await openPair()
    let received: Uint8Array | undefined
    b.setHandler(async (_request, { snapshot }) => {
      received = await bytesOf(snapshot!)
      return installed
    })
    await a.installSnapshot(peerB, snapshotOf(0), chunksOf())
    expect(received).toHaveLength(0)
  })

  it('reads the source no faster than the connection takes it', async () => {
    const { a, streamA, streamB } = await openPair()
    streamA.bufferBytes = 10 * 1024
    streamB.holds = true
    const { state, stream } = source(1024, 1000)
    const sending = a.installSnapshot(peerB, snapshotOf(1024 * 1000), stream)
    await settle(200)
    const connection = streamA.dialled[0]!
    const taken = state.taken
    expect(connection.other.inboxBytes).toBeLessThanOrEqual(12 * 1024)
    await settle(200)
    expect(state.taken).toBe(taken)
    connection.other.release()
    await sending
    expect(state.taken).toBe(1000)
  })

  it('sends a large chunk in pieces', async () => {
    const { a, streamA } = await openPair({ limits: { snapshotChunkBytes: 1000 } })
    await a.installSnapshot(peerB, snapshotOf(10_000), chunksOf(new Uint8Array(10_000)))
    const sizes = streamA.dialled[0]!.writes.map((chunks) =>
      chunks.reduce((sum, chunk) => sum + chunk.length, 0),
    )
    expect(Math.max(...sizes)).toBeLessThan(1500)
  })

  it('does not make calls wait', async () => {
    const { a, b } = await openPair()
    const { stream } = source(1024, 10)
    const gate = deferred<void>()
    b.setHandler(async (request, { snapshot }) => {
      if (request.type !== 'install-snapshot')
        return { type: 'timeout-now', header: request.header }
      await gate.promise
      await bytesOf(snapshot!)
      return installed
    })
    const sending = a.installSnapshot(peerB, snapshotOf(10_240), stream)
    await a.call(peerB, { type: 'timeout-now', header: heartbeat().header })
    gate.resolve()
    expect(await sending).toEqual(installed)
  })

  it.each([
    ['many chunks', 1000, 1000],
    ['one chunk', 1_000_000, 1],
  ])('goes on for as long as there is progress, and no longer: %s', async (_what, bytes, count) => {
    const { a, clock, streamA, streamB } = await openPair({ limits: { snapshotChunkBytes: 1000 } })
    streamA.bufferBytes = 2000
    streamB.holds = true
    const { state, stream } = source(bytes, count)
    const sending = a.installSnapshot(peerB, snapshotOf(1_000_000), stream, { timeoutMs: 100 })
    await settle(50)
    const connection = streamA.dialled[0]!
    for (let step = 0; step < 5; step += 1) {
      clock.advance(99)
      const before = connection.writes.length
      connection.other.release()
      await settle(2)
      connection.other.held = true
      await settle(20)
      expect(connection.writes.length).toBeGreaterThan(before)
    }
    clock.advance(100)
    await expect(sending).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
    await settle()
    expect(state.released).toBe(true)
    expect(connection.destroyed).toBe(true)
  })

  it('gives up on a source that gives nothing', async () => {
    const { a, clock } = await openPair()
    async function* silent(): AsyncGenerator<Uint8Array> {
      await new Promise(() => {})
      yield new Uint8Array()
    }
    const sending = a.installSnapshot(peerB, snapshotOf(10), silent(), { timeoutMs: 100 })
    await settle()
    clock.advance(100)
    await expect(sending).rejects.toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
  })

  it('waits for the answer as long as hashicorp/raft would: one timeout per 256 KiB', async () => {
    expect(answerTimeout(100, 0, 262_144)).toBe(100)
    expect(answerTimeout(100, 262_144 * 2 - 1, 262_144)).toBe(100)
    expect(answerTimeout(100, 262_144 * 2, 262_144)).toBe(200)
    expect(answerTimeout(10_000, 2 ** 40, 262_144)).toBe(2 ** 31 - 1)
    const { a, b, clock } = await openPair({ limits: { snapshotProgressBytes: 100 } })
    b.setHandler(async (_request, { snapshot }) => {
      await bytesOf(snapshot!)
      return new Promise(() => {})
    })
    const sending = a.installSnapshot(peerB, snapshotOf(1000), chunksOf(new Uint8Array(1000)), {
      timeoutMs: 10,
    })
    await settle()
    clock.advance(99)
    await settle()
    let ended = false
    const outcome = sending.catch((error: unknown) => error).finally(() => (ended = true))
    await settle()
    expect(ended).toBe(false)
    clock.advance(1)
    expect(await outcome).toMatchObject({ code: 'RAFT_RPC_TIMEOUT' })
  })

  it('stops sending when the answer comes early', async () => {
    const pair = await openPair()
    const ends = await rawB(pair)
    const { state, stream } = source(64 * 1024, 1000)
    const gate = deferred<void>()
    async function* gated(): AsyncGenerator<Uint8Array> {
      for await (const chunk of stream) {
        if (state.taken === 5) await gate.promise
        yield chunk
      }
    }
    const sending = pair.a.installSnapshot(peerB, snapshotOf(64 * 1024 * 1000), gated())
    await settle()
    ends[0]?.send(encodeErrorResponse('older term'))
    await expect(sending).rejects.toMatchObject({
      code: 'RAFT_REMOTE_ERROR',
      details: { remoteMessage: 'older term' },
    })
    gate.resolve()
    await settle()
    expect(state).toEqual({ taken: 5, released: true })
  })

  it.each([[[999]], [[999, 2]], [[1001]]])(
    'rejects when 1000 bytes were announced and the source has %j',
    async (sizes) => {
      const { a, b, streamA } = await openPair()
      const outcomes: unknown[] = []
      b.setHandler(async (_request, { snapshot }) => {
        outcomes.push(await bytesOf(snapshot!).catch((error: unknown) => error))
        return installed
      })
      async function* chunks(): AsyncGenerator<Uint8Array> {
        for (const size of sizes) {
          await settle()
          yield new Uint8Array(size)
        }
      }
      await expect(a.installSnapshot(peerB, snapshotOf(1000), chunks())).rejects.toMatchObject({
        code: 'RAFT_SNAPSHOT_FAILED',
      })
      expect(streamA.dialled[0]?.destroyed).toBe(true)
      await settle()
      expect(outcomes).toMatchObject([{ code: 'RAFT_CONNECTION_LOST' }])
    },
  )

  it('rejects with the error of the source', async () => {
    const { a } = await openPair()
    const cause = new Error('bad sector')
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(10)
      throw cause
    }
    await expect(a.installSnapshot(peerB, snapshotOf(100), broken())).rejects.toMatchObject({
      code: 'RAFT_SNAPSHOT_FAILED',
      cause,
    })
    expect(a.stats().outboundConnections).toBe(0)
  })

  it('rejects with the reason of its signal and lets the source go', async () => {
    const { a, b } = await openPair()
    b.setHandler(() => new Promise(() => {}))
    const { state, stream } = source(1024 * 1024, 100)
    const controller = new AbortController()
    const sending = a.installSnapshot(peerB, snapshotOf(100 * 1024 * 1024), stream, {
      signal: controller.signal,
    })
    await settle()
    const reason = new Error('leadership lost')
    controller.abort(reason)
    await expect(sending).rejects.toBe(reason)
    await settle()
    expect(state.released).toBe(true)
  })

  it('rejects when the connection breaks', async () => {
    const { a, b, streamB } = await openPair()
    b.setHandler(() => new Promise(() => {}))
    const { state, stream } = source(1024 * 1024, 100)
    const sending = a.installSnapshot(peerB, snapshotOf(100 * 1024 * 1024), stream)
    await settle()
    streamB.accepted[0]?.destroy()
    await expect(sending).rejects.toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
    await settle()
    expect(state.released).toBe(true)
  })
})
