import type { RpcContext } from '@raftkit/interface'
import { NetworkTransport } from '@raftkit/transport-network'
import { encodeRequest } from '@raftkit/wire'
import { expect, it } from 'vitest'
import {
  bytesOf,
  deferred,
  forward,
  heartbeat,
  installed,
  openPair,
  peerB,
  preVote,
  RawEnd,
  settle,
  snapshotOf,
} from './fixtures.ts'
import { MemoryNetwork } from './memory-streams.ts'

const closed = { code: 'RAFT_TRANSPORT_CLOSED' }

it('close settles everything, ends everything and leaves no timer', async () => {
  const { a, b, clock, streamA, streamB } = await openPair()
  const contexts: RpcContext[] = []
  b.setHandler(async (_request, context) => {
    contexts.push(context)
    // A connection that nobody reads does not notice its end.
    if (context.snapshot !== undefined) await bytesOf(context.snapshot)
    return new Promise(() => {})
  })
  const pipeline = await a.openPipeline(peerB)
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) yield new Uint8Array(1024)
  }
  const outcomes = [
    a.call(peerB, heartbeat()),
    a.call(peerB, preVote),
    a.call(peerB, forward(1)),
    a.call(peerB, forward(2)),
    pipeline.send(heartbeat()),
    a.installSnapshot(peerB, snapshotOf(2 ** 40), endless()),
  ]
  await settle()
  streamA.onDial = () => new Promise(() => {})
  outcomes.push(a.call(peerB, heartbeat()), a.openPipeline(peerB) as Promise<never>)
  const settled = Promise.all(outcomes.map((outcome) => outcome.catch((error: unknown) => error)))
  await settle()
  await a.close()
  for (const outcome of await settled) expect(outcome).toMatchObject(closed)
  expect(pipeline.closed).toBe(true)
  expect(a.stats()).toEqual({ inboundConnections: 0, outboundConnections: 0, idleConnections: 0 })
  expect(streamA.closed).toBe(true)
  await settle()
  expect(contexts).toHaveLength(6)
  expect(contexts.every(({ signal }) => signal.aborted)).toBe(true)
  expect(b.stats().inboundConnections).toBe(0)
  expect(streamB.closed).toBe(false)
  expect(clock.timers).toBe(0)
})

it('close aborts handlers and breaks off the snapshots that are read', async () => {
  const { b, streamA } = await openPair()
  const outcome = deferred<unknown>()
  let context: RpcContext | undefined
  b.setHandler(async (_request, received) => {
    context = received
    await bytesOf(received.snapshot!).catch(outcome.resolve)
    return installed
  })
  const end = await RawEnd.dial(streamA)
  end.send(...encodeRequest(snapshotOf(1000)), new Uint8Array(10))
  await settle()
  await b.close()
  expect(await outcome.promise).toMatchObject(closed)
  expect(context?.signal.reason).toMatchObject(closed)
  await end.closed
})

it('closes the idle connections of the pool', async () => {
  const { a, b, clock } = await openPair()
  await a.call(peerB, heartbeat())
  await a.close()
  await settle()
  expect(b.stats().inboundConnections).toBe(0)
  expect(clock.timers).toBe(0)
})

it('a closed transport refuses everything and closes again without harm', async () => {
  const { a } = await openPair()
  const first = a.close()
  const second = a.close()
  expect(second).toBe(first)
  await first
  await a[Symbol.asyncDispose]()
  async function* nothing(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array()
  }
  await expect(a.call(peerB, heartbeat())).rejects.toMatchObject(closed)
  await expect(a.openPipeline(peerB)).rejects.toMatchObject(closed)
  await expect(a.installSnapshot(peerB, snapshotOf(0), nothing())).rejects.toMatchObject(closed)
})

it('ends a connection that is accepted or dialled while it closes', async () => {
  const { a, b, streamA, streamB } = await openPair()
  const gate = deferred<void>()
  streamA.heedsSignals = false
  streamA.onDial = () => gate.promise
  const call = a.call(peerB, heartbeat())
  const closing = a.close()
  await expect(call).rejects.toMatchObject(closed)
  gate.resolve()
  await closing
  await settle()
  expect(streamA.dialled.every(({ destroyed }) => destroyed)).toBe(true)
  await b.close()
  expect(streamB.closed).toBe(true)
})

it('rejects when it cannot listen, and closes the stream layer', async () => {
  const network = new MemoryNetwork()
  await using first = await NetworkTransport.open({ stream: network.layer('a:1') })
  const stream = network.layer('a:1')
  await expect(NetworkTransport.open({ stream })).rejects.toMatchObject({
    code: 'RAFT_LISTEN_FAILED',
  })
  expect(stream.closed).toBe(true)
  expect(first.localAddress).toBe('a:1')
})
