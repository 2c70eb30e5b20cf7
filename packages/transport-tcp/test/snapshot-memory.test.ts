import { setImmediate as turn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { installed, openTransport, peerOf, snapshotOf } from './fixtures.ts'

const MiB = 1024 * 1024

it('holds little of a large snapshot whose reader is slow, at either end', async () => {
  const size = 256 * MiB
  const a = await openTransport()
  const b = await openTransport()
  let produced = 0
  let consumed = 0
  let most = 0
  async function* source(): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(64 * 1024)
    while (produced < size) {
      produced += chunk.length
      most = Math.max(most, produced - consumed)
      yield chunk
    }
  }
  b.setHandler(async (_request, { snapshot }) => {
    let chunks = 0
    for await (const chunk of snapshot!) {
      consumed += chunk.length
      chunks += 1
      // Slower than a sender that does not wait: several turns of the event loop for every few chunks.
      if (chunks % 8 === 0) for (let turns = 0; turns < 4; turns += 1) await turn()
    }
    return installed
  })
  await a.installSnapshot(peerOf(b), snapshotOf(size), source())
  expect(consumed).toBe(size)
  // What the sender and the receiver keep by their options, about 1 MiB each, and what the system's buffers take.
  expect(most).toBeLessThan(24 * MiB)
})

it('reads no more of a snapshot than fits, while the handler does not read', async () => {
  const size = 256 * MiB
  const a = await openTransport()
  const b = await openTransport()
  let produced = 0
  async function* source(): AsyncGenerator<Uint8Array> {
    const chunk = new Uint8Array(64 * 1024)
    while (produced < size) {
      produced += chunk.length
      yield chunk
    }
  }
  const controller = new AbortController()
  b.setHandler(() => new Promise(() => {}))
  const sending = a.installSnapshot(peerOf(b), snapshotOf(size), source(), {
    signal: controller.signal,
  })
  let before = -1
  for (let still = 0; still < 200; still = produced === before ? still + 1 : 0) {
    before = produced
    await turn()
  }
  expect(produced).toBeLessThan(24 * MiB)
  controller.abort(new Error('enough'))
  await expect(sending).rejects.toThrow('enough')
})
