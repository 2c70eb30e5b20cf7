import assert from 'node:assert/strict'
import { occasion, watched } from '../occasion.ts'
import { rejectionOf, rejectsWith } from '../rejection.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { connected, listenAsEcho, PATIENCE_MS, roundTrip, StreamEnd } from './case.ts'
import type { Layers, StreamLayerCase } from './case.ts'

/** Cases about the end of a connection. */
export function connectionEndCases(test: StreamLayerCase): void {
  for (const [title, index] of [
    ['the end that dialled', 0],
    ['the end that accepted', 1],
  ] as const)
    test(`tells both ends once when ${title} is destroyed`, async (layers) => {
      const { dialler, acceptor } = await connected(layers)
      const ends = [dialler, acceptor]
      ends[index]!.connection.destroy()
      ends[index]!.connection.destroy()
      await Promise.all(ends.map((end) => end.closed))
      for (const end of ends) end.connection.destroy(new Error('too late'))
      await pause(layers)
      assert.deepEqual(
        ends.map((end) => end.closes),
        [1, 1],
      )
    })

  test('has no error to tell when it was ended without one', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    dialler.connection.write([sampleBytes(10)])
    await acceptor.has(10)
    dialler.connection.destroy()
    assert.equal(await dialler.closed, undefined)
  })

  test('tells the error with which it was destroyed', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    const error = new Error('bad frame')
    dialler.connection.destroy(error)
    assert.equal(await dialler.closed, error)
    await acceptor.closed
  })

  test('does nothing on a connection that is gone', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    acceptor.connection.destroy()
    await Promise.all([dialler.closed, acceptor.closed])
    for (const { connection } of [dialler, acceptor]) {
      connection.write([sampleBytes(10)])
      connection.pause()
      connection.resume()
      await connection.drained()
    }
    assert.equal(dialler.received + acceptor.received, 0)
  })

  test('lets go of a writer that waits for room when the connection goes', async (layers) => {
    const { dialler, acceptor } = await connected(layers)
    acceptor.connection.pause()
    const chunk = sampleBytes(1024 * 1024)
    for (let sent = 0; sent < 64; sent++) {
      if (!dialler.connection.write([chunk])) break
      await dialler.connection.drained()
    }
    const draining = dialler.connection.drained()
    dialler.connection.destroy()
    await draining
    await dialler.closed
  })

  test('delivers nothing to an end that destroyed itself', async (layers) => {
    const { dialler, acceptor } = await connected(layers, (end) => end.connection.destroy())
    for (let i = 0; i < 50; i++) dialler.connection.write([sampleBytes(1000)])
    await Promise.all([acceptor.closed, dialler.closed])
    assert.equal(acceptor.deliveries, 1)
  })
}

/** Cases about dialling. */
export function dialCases(test: StreamLayerCase): void {
  test('rejects with RAFT_DIAL_FAILED where nobody listens', async (layers) => {
    const [from, gone] = [await layers.open(), await layers.open()]
    await gone.listen(() => {})
    const address = gone.localAddress
    await gone.close()
    await rejectsWith(from.dial(address, { timeoutMs: PATIENCE_MS }), 'RAFT_DIAL_FAILED')
  })

  test('dials nobody when the signal is aborted already', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    let accepted = 0
    await to.listen((connection) => {
      accepted++
      connection.start({ onData: () => {}, onClose: () => {} })
    })
    const reason = new Error('changed my mind')
    const signal = AbortSignal.abort(reason)
    const dialling = from.dial(to.localAddress, { timeoutMs: PATIENCE_MS, signal })
    assert.equal(await rejectionOf(dialling), reason)
    await pause(layers)
    assert.equal(accepted, 0)
  })

  test('stops dialling when the signal is aborted', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    await to.listen((connection) => connection.start({ onData: () => {}, onClose: () => {} }))
    const controller = new AbortController()
    const { signal } = controller
    const dialling = watched(from.dial(to.localAddress, { timeoutMs: PATIENCE_MS, signal }))
    const reason = new Error('waited long enough')
    controller.abort(reason)
    assert.equal(await rejectionOf(dialling), reason)
  })

  test('leaves a connection alone when the signal of its dial is aborted later', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    await listenAsEcho(to)
    const controller = new AbortController()
    const { signal } = controller
    const connection = await from.dial(to.localAddress, { timeoutMs: PATIENCE_MS, signal })
    const end = new StreamEnd(connection)
    controller.abort()
    await roundTrip(end)
    assert.equal(end.closes, 0)
  })
}

/** Cases about the end of a layer. */
export function layerEndCases(test: StreamLayerCase): void {
  test('has a fixed address once it listens', async (layers) => {
    const [one, two] = [await layers.open(), await layers.open()]
    await one.listen(() => {})
    await two.listen(() => {})
    const address = one.localAddress
    assert.ok(address.length > 0)
    assert.notEqual(address, two.localAddress)
    await one.close()
    assert.equal(one.localAddress, address)
  })

  test('ends the connections that it made and accepted when closed', async (layers) => {
    const { dialler, acceptor, from, to } = await connected(layers)
    await listenAsEcho(from)
    const back = new StreamEnd(await to.dial(from.localAddress, { timeoutMs: PATIENCE_MS }))
    await to.close()
    await Promise.all([dialler.closed, acceptor.closed, back.closed])
    assert.deepEqual([dialler.closes, acceptor.closes, back.closes], [1, 1, 1])
    await rejectsWith(from.dial(to.localAddress, { timeoutMs: PATIENCE_MS }), 'RAFT_DIAL_FAILED')
  })

  test('lets go of writers that wait for room when it is closed', async (layers) => {
    const { dialler, acceptor, from } = await connected(layers)
    acceptor.connection.pause()
    const chunk = sampleBytes(1024 * 1024)
    for (let sent = 0; sent < 64; sent++) {
      if (!dialler.connection.write([chunk])) break
      await dialler.connection.drained()
    }
    const draining = dialler.connection.drained()
    await from.close()
    await draining
    await dialler.closed
  })

  test('closes twice, at once and one after the other, and when it never listened', async (layers) => {
    const { from, to } = await connected(layers)
    await Promise.all([to.close(), to.close()])
    await to.close()
    await from.close()
    await (await layers.open()).close()
  })

  test('refuses to dial and to listen after close', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    await listenAsEcho(to)
    await from.close()
    await rejectsWith(from.dial(to.localAddress, { timeoutMs: PATIENCE_MS }))
    await rejectsWith(from.listen(() => {}))
  })

  test('settles a dial that is under way when closed', async (layers) => {
    const [from, to] = [await layers.open(), await layers.open()]
    await listenAsEcho(to)
    const settled = occasion()
    const dialling = from.dial(to.localAddress, { timeoutMs: PATIENCE_MS })
    dialling.then(
      (connection) => {
        connection.start({ onData: () => {}, onClose: () => settled.happen() })
      },
      () => settled.happen(),
    )
    await from.close()
    await settled.promise
  })
}

/** Cases for layers that can be told where to listen. */
export function addressCases(test: StreamLayerCase): void {
  test('rejects with RAFT_LISTEN_FAILED where another one listens', async (layers) => {
    const first = await layers.open()
    await first.listen(() => {})
    const second = await layers.openAt(first.localAddress)
    await rejectsWith(
      second.listen(() => {}),
      'RAFT_LISTEN_FAILED',
    )
  })

  test('gives its address back when closed', reusesAddress)
}

/** The proof of `reuseAddress`. */
export async function reusesAddress(layers: Layers): Promise<void> {
  const { from, to, dialler } = await connected(layers)
  const address = to.localAddress
  await to.close()
  await dialler.closed
  const next = await layers.openAt(address)
  await listenAsEcho(next)
  assert.equal(next.localAddress, address)
  await roundTrip(new StreamEnd(await from.dial(address, { timeoutMs: PATIENCE_MS })))
}

/** Lets what is under way arrive: a connection, and ten bytes there and back. */
async function pause(layers: Layers): Promise<void> {
  const [from, to] = [await layers.open(), await layers.open()]
  await listenAsEcho(to)
  const end = new StreamEnd(await from.dial(to.localAddress, { timeoutMs: PATIENCE_MS }))
  for (let i = 0; i < 10; i++) await roundTrip(end)
}
