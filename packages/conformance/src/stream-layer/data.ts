import assert from 'node:assert/strict'
import { nextTurn } from '../occasion.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { connected, fnv, listenAsEcho, PATIENCE_MS, roundTrip, StreamEnd } from './case.ts'
import type { StreamLayerCase } from './case.ts'

const MiB = 1024 * 1024

/** Cases about bytes that pass. */
export function dataCases(test: StreamLayerCase): void {
  test('carries bytes both ways, in order', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    const bytes = sampleBytes(50_000)
    for (const [from, to] of [
      [dialler, acceptor],
      [acceptor, dialler],
    ] as const) {
      for (let place = 0; place < bytes.length;) {
        const size = 1 + (place % 997)
        from.connection.write([bytes.subarray(place, place + size)])
        place += size
      }
      await to.has(bytes.length)
      assert.equal(to.hash, fnv(bytes))
    }
  })

  test('sends several chunks, and none, as one write', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    const bytes = sampleBytes(100_000)
    const empty = new Uint8Array(0)
    dialler.connection.write([])
    dialler.connection.write([bytes.subarray(0, 1), empty, bytes.subarray(1, 70_000)])
    dialler.connection.write([empty])
    dialler.connection.write([bytes.subarray(70_000)])
    await acceptor.has(bytes.length)
    assert.equal(acceptor.hash, fnv(bytes))
  })

  manyCases(test)
}

function manyCases(test: StreamLayerCase): void {
  test('carries a chunk of 16 MiB, and empty ones around it', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    const huge = sampleBytes(16 * MiB)
    dialler.connection.write([new Uint8Array(0), huge, new Uint8Array(0)])
    await acceptor.has(huge.length)
    assert.equal(acceptor.hash, fnv(huge))
  })

  test('says where a connection comes from', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    for (const end of [dialler, acceptor]) assert.ok(end.connection.remoteAddress.length > 0)
  })

  test('keeps many connections apart', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    await listenAsEcho(to)
    const ends = await Promise.all(
      Array.from({ length: 20 }, async (_, i) => {
        const connection = await from.dial(to.localAddress, { timeoutMs: PATIENCE_MS })
        const end = new StreamEnd(connection)
        connection.write([sampleBytes(10_000, i + 1)])
        return end
      }),
    )
    for (const [i, end] of ends.entries()) {
      await end.has(10_000)
      assert.equal(end.hash, fnv(sampleBytes(10_000, i + 1)))
    }
  })

  test('carries 24 MiB when the writer waits for room', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    const chunk = sampleBytes(MiB / 4)
    let hash = fnv(new Uint8Array(0))
    for (let i = 0; i < 96; i++) {
      if (!dialler.connection.write([chunk])) await dialler.connection.drained()
      hash = fnv(chunk, hash)
    }
    await acceptor.has(24 * MiB)
    assert.equal(acceptor.hash, hash)
  })
}

/** Cases about back-pressure. */
export function backPressureCases(test: StreamLayerCase): void {
  test('has room again at once when little was written', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    await dialler.connection.drained()
    assert.equal(dialler.connection.write([sampleBytes(10)]), true)
    await dialler.connection.drained()
    await acceptor.has(10)
  })

  test('delivers nothing while paused, and everything after', async (layers) => {
    const other = await connected(layers)
    await listenAsEcho(other.from)
    const echo = new StreamEnd(
      await other.to.dial(other.from.localAddress, { timeoutMs: PATIENCE_MS }),
    )
    const { dialler, acceptor } = await connected(layers, (end) => end.connection.pause())
    dialler.connection.write([sampleBytes(1000)])
    await acceptor.has(1)
    const before = acceptor.deliveries
    for (let i = 0; i < 20; i++) {
      dialler.connection.write([sampleBytes(1000)])
      await roundTrip(echo)
    }
    assert.equal(acceptor.deliveries, before, 'data was delivered while paused')
    while (acceptor.received < 21_000) {
      const next = acceptor.has(acceptor.received + 1)
      acceptor.connection.resume()
      await next
    }
    assert.equal(acceptor.received, 21_000)
  })

  test('says that there is no room while the other end does not read', async (layers) => {
    const { dialler, acceptor } = await connected(layers, (end) => {
      if (end.received < 1000) end.connection.pause()
    })
    acceptor.connection.pause()
    const chunk = sampleBytes(MiB / 2)
    const most = 64 * MiB
    let sent = 0
    let draining = dialler.connection.drained()
    while (sent < most && (await settlesSoon(draining))) {
      dialler.connection.write([chunk])
      sent += chunk.length
      draining = dialler.connection.drained()
    }
    assert.ok(sent < most, `${most} bytes written that nobody reads, and still room`)
    assert.equal(dialler.connection.write([chunk]), false)
    sent += chunk.length
    acceptor.connection.resume()
    await draining
    await acceptor.has(sent)
  })
}

/** Whether the promise settles within some turns of the event loop, in which the system may take more bytes. */
async function settlesSoon(promise: Promise<void>): Promise<boolean> {
  let settled = false
  const watching = promise.then(() => {
    settled = true
  })
  for (let turn = 0; turn < 50 && !settled; turn++) await Promise.race([watching, nextTurn()])
  return settled
}
