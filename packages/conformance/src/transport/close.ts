import assert from 'node:assert/strict'
import { watched } from '../occasion.ts'
import { rejectsBeforeDeadline, rejectsWith } from '../rejection.ts'
import { vote } from './calls.ts'
import { aborted, peerOf, silentHandler } from './case.ts'
import type { TransportCase } from './case.ts'
import { appendEntries, installSnapshot } from './messages.ts'
import { SnapshotSource } from './snapshot-source.ts'

const MiB = 1024 * 1024

/** Cases about the end of a transport: every promise settles. */
export function closeCases(test: TransportCase): void {
  test('has an address of its own', async (a, b) => {
    assert.ok(a.localAddress.length > 0)
    assert.notEqual(a.localAddress, b.localAddress)
  })

  test('settles every promise when closed', async (a, b) => {
    const silent = silentHandler()
    b.setHandler(silent.handler)
    const pipeline = await a.openPipeline(peerOf(b))
    const source = new SnapshotSource({ size: MiB, chunk: 1000 })
    const outstanding = [
      a.call(peerOf(b), vote(1)),
      a.call(peerOf(b), vote(2)),
      a.installSnapshot(peerOf(b), installSnapshot(MiB), source),
      pipeline.send(appendEntries(1)),
      pipeline.send(appendEntries(2)),
    ].map((promise) => watched<unknown>(promise))
    const opening = watched(a.openPipeline(peerOf(b)))
    await a.close()
    for (const promise of outstanding)
      await rejectsWith(promise, 'RAFT_TRANSPORT_CLOSED', 'RAFT_PIPELINE_CLOSED')
    assert.equal(pipeline.closed, true)
    // Where nothing needs to be connected, the pipeline may have opened before.
    await rejectsWith(opening.then((opened) => opened.send(appendEntries(3))))
  })

  test('settles what others wait for when closed, however long its handlers take', async (a, b) => {
    const silent = silentHandler()
    b.setHandler(silent.handler)
    const pipeline = await a.openPipeline(peerOf(b))
    const outstanding = [
      a.call(peerOf(b), vote(1)),
      pipeline.send(appendEntries(1)),
      pipeline.send(appendEntries(2)),
    ].map((promise) => watched<unknown>(promise))
    const { context } = await silent.called
    await b.close()
    for (const promise of outstanding) await rejectsBeforeDeadline(promise)
    await aborted(context.signal)
    await rejectsBeforeDeadline(a.call(peerOf(b), vote(3)))
  })

  test('closes twice, at once and one after the other', async (a, b) => {
    await Promise.all([a.close(), a.close()])
    await a.close()
    await b.close()
  })

  test('refuses every call after close', async (a, b) => {
    await a.close()
    await rejectsWith(a.call(peerOf(b), vote(1)), 'RAFT_TRANSPORT_CLOSED')
    await rejectsWith(a.openPipeline(peerOf(b)), 'RAFT_TRANSPORT_CLOSED')
    const source = new SnapshotSource({ size: MiB, chunk: 1000 })
    const install = a.installSnapshot(peerOf(b), installSnapshot(MiB), source)
    await rejectsWith(install, 'RAFT_TRANSPORT_CLOSED')
    assert.equal(source.given, 0)
  })
}
