import assert from 'node:assert/strict'
import type { RpcHandler } from '@raftkit/interface'
import { occasion, watched } from '../occasion.ts'
import { rejectionOf, rejectsBeforeDeadline, rejectsWith } from '../rejection.ts'
import { assertSameBytes, collect, inChunks, sampleBytes } from '../sample-bytes.ts'
import { voteOf } from './calls.ts'
import { aborted, nobody, peerOf } from './case.ts'
import type { TransportCase } from './case.ts'
import { answerTo, assertSameMessage, installed, installSnapshot } from './messages.ts'
import { SnapshotSource } from './snapshot-source.ts'

const MiB = 1024 * 1024

/** Cases about snapshots that arrive. */
export function snapshotCases(test: TransportCase): void {
  for (const [size, ...chunks] of [
    [0, 1],
    [1, 1],
    [5 * MiB + 3, 1, 70_000, 300_001],
    [3 * MiB, 3 * MiB],
  ] as const)
    test(`brings a snapshot of ${size} bytes over, byte for byte`, async (a, b) => {
      const bytes = sampleBytes(size)
      const received = occasion<Uint8Array>()
      b.setHandler(async (request, context) => {
        assertSameMessage(request, installSnapshot(size))
        assert.ok(context.snapshot)
        received.happen(await collect(context.snapshot))
        return installed
      })
      const source = inChunks(bytes, ...chunks)
      const answer = await a.installSnapshot(peerOf(b), installSnapshot(size), source)
      assertSameMessage(answer, installed)
      assertSameBytes(await received.promise, bytes, 'the snapshot')
    })

  test('brings two snapshots over at once, and calls pass meanwhile', async (a, b) => {
    const received = new Map<number, Uint8Array>()
    b.setHandler(async (request, context) => {
      if (request.type !== 'install-snapshot' || !context.snapshot) return answerTo(request)
      received.set(request.size, await collect(context.snapshot))
      return installed
    })
    const sizes = [MiB, 2 * MiB]
    const installs = sizes.map((size) =>
      a.installSnapshot(
        peerOf(b),
        installSnapshot(size),
        inChunks(sampleBytes(size, size), 50_000),
      ),
    )
    assert.equal(await voteOf(a, b, 7), 7)
    await Promise.all(installs)
    for (const size of sizes)
      assertSameBytes(received.get(size)!, sampleBytes(size, size), `the one of ${size} bytes`)
  })

  test('reads the source no faster than the peer takes it, then goes on', async (a, b) => {
    // Far more than sockets and buffers hold, so that a sender which does not wait is found out.
    const size = 64 * MiB
    const source = new SnapshotSource({ size, chunk: 128 * 1024 })
    const started = occasion()
    const go = occasion()
    let read = 0
    b.setHandler(async (request, context) => {
      if (request.type !== 'install-snapshot' || !context.snapshot) return answerTo(request)
      started.happen()
      await go.promise
      for await (const chunk of context.snapshot) read += chunk.length
      return installed
    })
    const install = watched(a.installSnapshot(peerOf(b), installSnapshot(size), source))
    await started.promise
    // Calls and their answers pass while the snapshot is held up; enough of them to fill what can be filled.
    for (let term = 1; term <= 200; term++) assert.equal(await voteOf(a, b, term), term)
    assert.ok(source.given <= size / 2, `${source.given} bytes were read ahead of the peer`)
    go.happen()
    assertSameMessage(await install, installed)
    assert.equal(read, size)
  })
}

/** Cases about snapshots that do not arrive. */
export function snapshotFailureCases(test: TransportCase): void {
  test('fails at both ends when the source fails midway', async (a, b) => {
    const reading = interruptedHandler()
    b.setHandler(reading.handler)
    const source = new SnapshotSource({ size: 2 * MiB, chunk: 65_536, failAfter: MiB })
    await rejectsBeforeDeadline(a.installSnapshot(peerOf(b), installSnapshot(2 * MiB), source))
    assert.ok((await reading.failure) instanceof Error, 'the receiver must not take it for whole')
    assert.ok(reading.read() <= MiB)
  })

  for (const [title, size] of [
    ['shorter', MiB + 1],
    ['longer', MiB - 1],
  ] as const)
    test(`fails when the source is ${title} than the request says`, async (a, b) => {
      const reading = interruptedHandler()
      b.setHandler(reading.handler)
      const source = new SnapshotSource({ size: MiB, chunk: 65_536 })
      await rejectsBeforeDeadline(a.installSnapshot(peerOf(b), installSnapshot(size), source))
    })

  test('brings the error of the handler back, and lets go of the source', async (a, b) => {
    b.setHandler(async (_request, context) => {
      for await (const chunk of context.snapshot!) {
        assert.ok(chunk.length > 0)
        break
      }
      throw new Error('cannot use it')
    })
    const source = new SnapshotSource({ size: 8 * MiB, chunk: 65_536 })
    const install = a.installSnapshot(peerOf(b), installSnapshot(8 * MiB), source)
    assert.match((await rejectsWith(install, 'RAFT_REMOTE_ERROR')).message, /cannot use it/)
    await source.ended
  })

  test('takes an answer that comes before the snapshot was read, and lets go of the source', async (a, b) => {
    b.setHandler(() => ({ ...installed, success: false }))
    const source = new SnapshotSource({ size: 8 * MiB, chunk: 65_536 })
    const answer = await a.installSnapshot(peerOf(b), installSnapshot(8 * MiB), source)
    assert.equal(answer.success, false)
    await source.ended
  })

  test('rejects with RAFT_DIAL_FAILED where nobody listens', async (a, _b, more) => {
    const source = new SnapshotSource({ size: MiB, chunk: 65_536 })
    const install = a.installSnapshot(await nobody(more), installSnapshot(MiB), source)
    await rejectsWith(install, 'RAFT_DIAL_FAILED')
    assert.ok(source.given <= MiB)
  })

  stopCases(test)
}

function stopCases(test: TransportCase): void {
  const size = 64 * MiB

  test('rejects with RAFT_RPC_TIMEOUT when the receiver stops reading, and lets go of the source', async (a, b) => {
    const goOn = occasion()
    const reading = interruptedHandler(() => goOn.promise)
    b.setHandler(reading.handler)
    const source = new SnapshotSource({ size, chunk: 65_536 })
    const install = a.installSnapshot(peerOf(b), installSnapshot(size), source, { timeoutMs: 500 })
    await rejectsWith(install, 'RAFT_RPC_TIMEOUT')
    assert.ok(source.given <= size / 2, `${source.given} bytes were read ahead of the peer`)
    await source.ended
    goOn.happen()
    // On a busy machine the deadline may pass before the receiver has got anything.
    if (!reading.started()) return
    assert.ok((await reading.failure) instanceof Error, 'the receiver must not take it for whole')
  })

  test('stops when the signal is aborted midway; the receiver learns of it', async (a, b) => {
    const controller = new AbortController()
    const reason = new Error('not now')
    const reading = interruptedHandler(async () => controller.abort(reason))
    b.setHandler(reading.handler)
    const source = new SnapshotSource({ size, chunk: 65_536 })
    const install = a.installSnapshot(peerOf(b), installSnapshot(size), source, {
      signal: controller.signal,
    })
    assert.equal(await rejectionOf(install), reason)
    assert.ok((await reading.failure) instanceof Error)
    await aborted(await reading.signal)
    await source.ended
  })

  test('reads nothing when the signal is aborted already', async (a, b) => {
    b.setHandler(answerTo)
    const source = new SnapshotSource({ size: MiB, chunk: 65_536 })
    const reason = new Error('not now')
    const install = a.installSnapshot(peerOf(b), installSnapshot(MiB), source, {
      signal: AbortSignal.abort(reason),
    })
    assert.equal(await rejectionOf(install), reason)
    assert.equal(source.given, 0)
  })

  test('fails at the sender when the receiver goes away midway', async (a, b) => {
    const reading = stoppedHandler()
    b.setHandler(reading.handler)
    const source = new SnapshotSource({ size, chunk: 65_536 })
    const install = watched(a.installSnapshot(peerOf(b), installSnapshot(size), source))
    await reading.signal
    await b.close()
    await rejectsBeforeDeadline(install)
    await source.ended
  })
}

/** Reads until the iteration throws, and tells with what. The first chunk is held until `onFirst` is done. */
function interruptedHandler(onFirst: () => Promise<void> = async () => {}): {
  handler: RpcHandler
  failure: Promise<unknown>
  signal: Promise<AbortSignal>
  started: () => boolean
  read: () => number
} {
  const failure = occasion<unknown>()
  const signal = occasion<AbortSignal>()
  let started = false
  let read = 0
  return {
    failure: failure.promise,
    signal: signal.promise,
    started: () => started,
    read: () => read,
    handler: async (_request, context) => {
      started = true
      signal.happen(context.signal)
      try {
        for await (const chunk of context.snapshot!) {
          if (read === 0) await onFirst()
          read += chunk.length
        }
        failure.happen(undefined)
      } catch (error) {
        failure.happen(error)
        throw error
      }
      return installed
    },
  }
}

/** Reads one chunk and then no more. */
function stoppedHandler(): { handler: RpcHandler; signal: Promise<AbortSignal> } {
  const signal = occasion<AbortSignal>()
  return {
    signal: signal.promise,
    handler: async (_request, context) => {
      await context.snapshot![Symbol.asyncIterator]().next()
      signal.happen(context.signal)
      return new Promise(() => {})
    },
  }
}
