import type { RpcHandler, RpcRequest, RpcResponse } from '@raftkit/interface'
import { encodeErrorResponse, encodeRequest, encodeResponse } from '@raftkit/wire'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  appended,
  bytesOf,
  deferred,
  forward,
  header,
  heartbeat,
  installed,
  joined,
  obliging,
  openPair,
  peerB,
  preVote,
  RawEnd,
  settle,
  snapshotOf,
} from '../fixtures.ts'

const snapshotBytes = Uint8Array.from({ length: 100 }, (_, at) => at % 256)
const snapshotMessage = joined([...encodeRequest(snapshotOf(100)), snapshotBytes])

/** Requests of every kind, one after the other, and what they are answered with. */
const conversation = joined([
  ...encodeRequest(heartbeat(3)),
  ...encodeRequest(preVote),
  snapshotMessage,
  ...encodeRequest(forward(1, 2, 3)),
  ...encodeRequest({ type: 'timeout-now', header }),
])
const answers = joined([
  encodeResponse(appended(3)),
  encodeResponse({ type: 'request-pre-vote', header, term: 2, granted: true }),
  encodeResponse(installed),
  encodeResponse({ type: 'forward', header, payload: Uint8Array.of(1, 2, 3) }),
  encodeResponse({ type: 'timeout-now', header }),
])

/** A handler that keeps every request until the test answers it. */
function patient() {
  const waiting: { request: RpcRequest; answer: (response: RpcResponse) => void }[] = []
  const handler: RpcHandler = (request) => {
    const { promise, resolve } = deferred<RpcResponse>()
    waiting.push({ request, answer: resolve })
    return promise
  }
  return { waiting, handler }
}

describe('requests', () => {
  it('are answered however their bytes are split in two', async () => {
    const { streamA } = await openPair()
    for (let at = 1; at < conversation.length; at += 1) {
      const end = await RawEnd.dial(streamA)
      end.send(conversation.slice(0, at))
      await settle(2)
      end.send(conversation.slice(at))
      expect(await end.receive(answers.length)).toEqual(answers)
      end.close()
    }
  })

  it('are answered when they come byte by byte', async () => {
    const { streamA } = await openPair()
    const end = await RawEnd.dial(streamA)
    for (const byte of conversation) end.send(Uint8Array.of(byte))
    expect(await end.receive(answers.length)).toEqual(answers)
  })

  it('are answered however their bytes are split', async () => {
    const { streamA } = await openPair()
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: conversation.length - 1 }), { maxLength: 20 }),
        async (cuts) => {
          const end = await RawEnd.dial(streamA)
          const places = [0, ...cuts.toSorted((a, b) => a - b), conversation.length]
          for (const [at, start] of places.slice(0, -1).entries()) {
            end.send(conversation.slice(start, places[at + 1]))
            if (at % 3 === 0) await settle(1)
          }
          expect(await end.receive(answers.length)).toEqual(answers)
          end.close()
        },
      ),
      { numRuns: 50 },
    )
  })

  it('of one connection are handed over at once and answered in their order', async () => {
    const { b, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const end = await RawEnd.dial(streamA)
    for (const term of [1, 2, 3]) end.send(...encodeRequest(heartbeat(term)))
    await settle()
    expect(waiting.map(({ request }) => 'term' in request && request.term)).toEqual([1, 2, 3])
    waiting[2]?.answer(appended(3))
    waiting[1]?.answer(appended(2))
    await settle()
    expect(end.received).toHaveLength(0)
    waiting[0]?.answer(appended(1))
    await settle()
    expect(end.received).toEqual(joined([1, 2, 3].map((term) => encodeResponse(appended(term)))))
  })

  it('answered in one turn are answered in one write', async () => {
    const { streamA, streamB } = await openPair()
    const end = await RawEnd.dial(streamA)
    end.send(...[1, 2, 3, 4, 5].flatMap((term) => encodeRequest(heartbeat(term))))
    await end.receive(encodeResponse(appended()).length * 5)
    expect(streamB.accepted[0]?.writes).toHaveLength(1)
  })

  it('may be as many in one chunk as fit, when the handler answers at once', async () => {
    const { b, streamA } = await openPair()
    b.setHandler(() => appended())
    const end = await RawEnd.dial(streamA)
    const request = joined(encodeRequest(heartbeat()))
    const count = 5000
    const chunk = new Uint8Array(request.length * count)
    for (let at = 0; at < count; at += 1) chunk.set(request, at * request.length)
    end.send(chunk)
    await settle()
    expect(end.receivedBytes).toBe(encodeResponse(appended()).length * count)
    expect(end.isClosed).toBe(false)
  })

  it('are told where they come from and when their connection is gone', async () => {
    const { b, streamA } = await openPair()
    const seen = deferred<{ remote: string; signal: AbortSignal }>()
    b.setHandler((_request, context) => {
      seen.resolve(context)
      return new Promise(() => {})
    })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(heartbeat()))
    const { remote, signal } = await seen.promise
    expect(remote).toBe('a:1')
    expect(signal.aborted).toBe(false)
    end.close()
    await settle()
    expect(signal.reason).toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
  })

  it('whose answer comes after the connection is gone do no harm', async () => {
    const { b, streamA } = await openPair()
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(heartbeat()))
    await settle()
    end.close()
    await settle()
    waiting[0]?.answer(appended())
    await settle()
    expect(b.stats().inboundConnections).toBe(0)
  })
})

describe('too many requests of one connection', () => {
  it('pause it until one is answered', async () => {
    const { b, streamA, streamB } = await openPair({ limits: { maxRequestsPerConnection: 3 } })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const end = await RawEnd.dial(streamA)
    for (let term = 1; term <= 10; term += 1) end.send(...encodeRequest(heartbeat(term)))
    await settle()
    expect(waiting).toHaveLength(3)
    expect(streamB.accepted[0]?.paused).toBe(true)
    waiting[1]?.answer(appended(2))
    await settle()
    expect(waiting).toHaveLength(3)
    waiting[0]?.answer(appended(1))
    await settle()
    expect(waiting).toHaveLength(5)
    for (let at = 2; at < 10; at += 1) {
      waiting[at]?.answer(appended(at + 1))
      await settle()
    }
    expect(streamB.accepted[0]?.paused).toBe(false)
    expect(end.received).toEqual(
      joined(Array.from({ length: 10 }, (_, at) => encodeResponse(appended(at + 1)))),
    )
  })

  it('are counted in bytes, too; one that is larger passes alone', async () => {
    const { b, streamA, streamB } = await openPair({
      limits: { maxRequestBytesPerConnection: 100 },
    })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const end = await RawEnd.dial(streamA)
    const large = { ...forward(), payload: new Uint8Array(1000) }
    for (let request = 0; request < 3; request += 1) end.send(...encodeRequest(large))
    await settle()
    expect(waiting).toHaveLength(1)
    expect(streamB.accepted[0]?.paused).toBe(true)
    waiting[0]?.answer({ ...large })
    await settle()
    expect(waiting).toHaveLength(2)
  })

  it('are not read while the answers to others are not taken', async () => {
    const { a, b, clock, streamA, streamB, log } = await openPair({
      limits: { messageTimeoutMs: 100 },
    })
    let handled = 0
    b.setHandler((request, context) => {
      handled += 1
      return obliging(request, context)
    })
    streamB.bufferBytes = 1
    const end = await RawEnd.dial(streamA)
    await settle()
    const accepted = streamB.accepted[0]!
    accepted.bufferBytes = 1
    accepted.other.held = true
    end.send(...encodeRequest(heartbeat()))
    await settle()
    for (let request = 0; request < 10; request += 1) {
      end.send(...encodeRequest(heartbeat()))
      await settle()
    }
    expect(handled).toBe(1)
    expect(accepted.paused).toBe(true)
    accepted.other.release()
    await settle(50)
    expect(handled).toBe(11)
    expect(accepted.paused).toBe(false)
    accepted.other.held = true
    end.send(...encodeRequest(heartbeat()))
    await settle()
    clock.advance(100)
    await settle()
    expect(log).toMatchObject([
      { level: 'warn', message: expect.stringContaining('did not take its answers') as string },
    ])
    expect(b.stats().inboundConnections).toBe(0)
    await a.close()
  })
})

describe('bytes that are no request', () => {
  it.each([
    ['an unknown type', Uint8Array.of(0x7f, 0x80), '0x7f'],
    ['a broken message', Uint8Array.of(0x00, 0xc1), 'closed the connection'],
    ['HTTP', new TextEncoder().encode('GET / HTTP/1.1\r\nHost: b\r\n\r\n'), 'looks like HTTP'],
    ['TLS', Uint8Array.of(0x16, 0x03, 0x01, 0x02), 'looks like TLS'],
    ['SSH', new TextEncoder().encode('SSH-2.0-OpenSSH_9.6\r\n'), 'looks like SSH'],
  ])('close the connection with one log line and nothing else: %s', async (_what, bytes, text) => {
    const { b, streamA, log } = await openPair()
    const handled: RpcRequest[] = []
    b.setHandler((request, context) => {
      handled.push(request)
      return obliging(request, context)
    })
    const end = await RawEnd.dial(streamA)
    end.send(bytes)
    await end.closed
    expect(end.received).toHaveLength(0)
    expect(handled).toEqual([])
    expect(log).toMatchObject([
      {
        level: 'warn',
        fields: { remote: 'a:1' },
        message: expect.stringContaining(text) as string,
      },
    ])
    expect(b.stats().inboundConnections).toBe(0)
  })

  it('close a connection after good requests, and no other one', async () => {
    const { a, streamA, log } = await openPair()
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(heartbeat()))
    await end.receive(1)
    end.send(new TextEncoder().encode('GET /'))
    await end.closed
    expect(log).toHaveLength(1)
    expect(log[0]?.message).not.toContain('HTTP')
    await a.call(peerB, heartbeat())
  })

  it('never do more than that, whatever they are', async () => {
    const { b, streamA, log } = await openPair()
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(heartbeat()))
    await end.receive(1)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), async (bytes) => {
        const other = await RawEnd.dial(streamA)
        const lines = log.length
        other.send(bytes)
        await settle(3)
        expect(log.length - lines).toBeLessThanOrEqual(1)
        other.close()
        await settle(2)
        expect(b.stats().inboundConnections).toBe(1)
      }),
      { numRuns: 200 },
    )
  })
})

describe('time limits', () => {
  const limits = { firstByteTimeoutMs: 100, messageTimeoutMs: 200, idleConnectionTimeoutMs: 300 }

  it('close a connection that sends nothing', async () => {
    const { streamA, clock, log } = await openPair({ limits })
    const end = await RawEnd.dial(streamA)
    await settle()
    clock.advance(99)
    await settle()
    expect(end.isClosed).toBe(false)
    clock.advance(1)
    await end.closed
    expect(log).toMatchObject([{ level: 'debug' }])
  })

  it('close a connection whose request does not become whole, however it drips', async () => {
    const { streamA, clock, log } = await openPair({ limits })
    const end = await RawEnd.dial(streamA)
    const bytes = joined(encodeRequest(heartbeat()))
    let sent = 0
    for (; sent < 4; sent += 1) {
      end.send(bytes.slice(sent, sent + 1))
      await settle()
      clock.advance(50)
      await settle()
    }
    await end.closed
    expect(log).toMatchObject([
      { level: 'warn', message: expect.stringContaining('messageTimeoutMs 200') as string },
    ])
  })

  it('give each request its own time', async () => {
    const { streamA, clock } = await openPair({ limits })
    const end = await RawEnd.dial(streamA)
    const bytes = joined(encodeRequest(heartbeat()))
    for (let request = 0; request < 5; request += 1) {
      // The end of one request and the beginning of the next come together.
      end.send(joined([bytes.slice(request === 0 ? 0 : 10), bytes.slice(0, 10)]))
      await settle()
      clock.advance(150)
      await settle()
      expect(end.isClosed).toBe(false)
    }
  })

  it('do not count while this server is the slow one', async () => {
    const { b, streamA, clock } = await openPair({
      limits: { ...limits, maxRequestsPerConnection: 1 },
    })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const end = await RawEnd.dial(streamA)
    const bytes = joined(encodeRequest(heartbeat()))
    end.send(joined([bytes, bytes.slice(0, 10)]))
    await settle()
    clock.advance(10_000)
    await settle()
    expect(end.isClosed).toBe(false)
    waiting[0]?.answer(appended())
    await settle()
    clock.advance(199)
    await settle()
    expect(end.isClosed).toBe(false)
    clock.advance(1)
    await end.closed
  })

  it('close an idle connection only when there is such a limit', async () => {
    const limited = await openPair({ limits })
    const end = await RawEnd.dial(limited.streamA)
    for (let request = 0; request < 3; request += 1) {
      end.send(...encodeRequest(heartbeat()))
      await settle()
      limited.clock.advance(299)
      await settle()
      expect(end.isClosed).toBe(false)
    }
    limited.clock.advance(1)
    await end.closed
    expect(limited.log).toMatchObject([{ level: 'debug' }])

    const busy = await openPair({ limits })
    busy.b.setHandler(() => new Promise(() => {}))
    const waiting = await RawEnd.dial(busy.streamA)
    waiting.send(...encodeRequest(heartbeat()))
    await settle()
    busy.clock.advance(100_000)
    await settle()
    expect(waiting.isClosed).toBe(false)

    const patientPair = await openPair()
    const other = await RawEnd.dial(patientPair.streamA)
    other.send(...encodeRequest(heartbeat()))
    await settle()
    patientPair.clock.advance(2 ** 30)
    await settle()
    expect(other.isClosed).toBe(false)
  })
})

describe('a snapshot', () => {
  it('is given to the handler no faster than it reads', async () => {
    const { b, streamA, streamB } = await openPair({ limits: { snapshotBufferBytes: 1000 } })
    const steps: (() => void)[] = []
    let read = 0
    b.setHandler(async (_request, { snapshot }) => {
      for await (const chunk of snapshot!) {
        read += chunk.length
        await new Promise<void>((resolve) => steps.push(resolve))
      }
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(100 * 500)))
    for (let chunk = 0; chunk < 100; chunk += 1) end.send(new Uint8Array(500))
    await settle(100)
    const accepted = streamB.accepted[0]!
    expect(accepted.paused).toBe(true)
    expect(100 * 500 - accepted.inboxBytes).toBeLessThanOrEqual(2000)
    while (read < 100 * 500) {
      steps.shift()?.()
      await settle(2)
      expect(100 * 500 - accepted.inboxBytes - read).toBeLessThanOrEqual(2000)
    }
    steps.shift()?.()
    expect(await end.receive(encodeResponse(installed).length)).toEqual(encodeResponse(installed))
    expect(accepted.paused).toBe(false)
  })

  it('lets later requests wait until it is answered', async () => {
    const { b, streamA } = await openPair()
    const gate = deferred<void>()
    const handled: string[] = []
    b.setHandler(async (request, { snapshot }) => {
      handled.push(request.type)
      if (request.type !== 'install-snapshot') return appended()
      await bytesOf(snapshot!)
      await gate.promise
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(snapshotMessage, ...encodeRequest(heartbeat()))
    await settle()
    expect(handled).toEqual(['install-snapshot'])
    gate.resolve()
    await settle()
    expect(handled).toEqual(['install-snapshot', 'append-entries'])
    expect(end.received).toEqual(joined([encodeResponse(installed), encodeResponse(appended())]))
  })

  it('that the handler does not read is dropped, and the next request is taken', async () => {
    const { b, streamA } = await openPair({ limits: { snapshotBufferBytes: 100 } })
    b.setHandler(async (request, { snapshot }) => {
      if (request.type !== 'install-snapshot') return appended()
      for await (const _chunk of snapshot!) break
      throw new Error('older term')
    })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(10_000)))
    for (let chunk = 0; chunk < 99; chunk += 1) end.send(new Uint8Array(100))
    const refusal = encodeErrorResponse('older term')
    expect(await end.receive(refusal.length)).toEqual(refusal)
    end.send(new Uint8Array(100), ...encodeRequest(heartbeat()))
    await settle()
    expect(end.received).toEqual(joined([refusal, encodeResponse(appended())]))
  })

  it('that is refused may send on for only so many bytes', async () => {
    const { b, streamA } = await openPair({ limits: { maxDrainBytes: 1000 } })
    b.setHandler(async () => Promise.reject(new Error('older term')))
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(1_000_000)), new Uint8Array(1000))
    await settle()
    expect(end.isClosed).toBe(false)
    end.send(new Uint8Array(1))
    await end.closed
    expect(end.received).toEqual(encodeErrorResponse('older term'))
  })

  it('that breaks off gives its reader an error', async () => {
    const { b, streamA } = await openPair()
    const outcome = deferred<unknown>()
    b.setHandler(async (_request, { snapshot }) => {
      const error = await bytesOf(snapshot!).catch((reason: unknown) => reason)
      outcome.resolve(error)
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(snapshotMessage.slice(0, -1))
    await settle()
    end.close()
    expect(await outcome.promise).toMatchObject({ code: 'RAFT_CONNECTION_LOST' })
  })

  it('that is read on after its handler ended gives an error, not a short snapshot', async () => {
    const { b, streamA } = await openPair()
    const outcome = deferred<unknown>()
    b.setHandler((_request, { snapshot }) => {
      setImmediate(() => void bytesOf(snapshot!).then(outcome.resolve, outcome.resolve))
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(snapshotMessage)
    expect(await outcome.promise).toBeInstanceOf(Error)
  })

  it('must go on arriving', async () => {
    const { streamA, clock, log } = await openPair({
      limits: { messageTimeoutMs: 100, snapshotProgressBytes: 50 },
    })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(1000)))
    for (let step = 0; step < 5; step += 1) {
      await settle()
      clock.advance(99)
      end.send(new Uint8Array(50))
    }
    await settle()
    clock.advance(60)
    end.send(new Uint8Array(49))
    await settle()
    clock.advance(39)
    await settle()
    expect(end.isClosed).toBe(false)
    clock.advance(1)
    await end.closed
    expect(log).toMatchObject([
      { level: 'warn', message: expect.stringContaining('less than 50 bytes') as string },
    ])
  })

  it('may be read as slowly as the handler likes', async () => {
    const { b, streamA, clock } = await openPair({
      limits: { messageTimeoutMs: 100, snapshotBufferBytes: 10, snapshotProgressBytes: 10 },
    })
    const gate = deferred<void>()
    b.setHandler(async (_request, { snapshot }) => {
      await gate.promise
      await bytesOf(snapshot!)
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(snapshotMessage.slice(0, -50))
    end.send(snapshotMessage.slice(-50))
    await settle()
    clock.advance(100_000)
    await settle()
    expect(end.isClosed).toBe(false)
    gate.resolve()
    expect(await end.receive(encodeResponse(installed).length)).toEqual(encodeResponse(installed))
  })

  it('that its handler stops reading goes on being dropped while the handler goes on', async () => {
    const { b, streamA, streamB } = await openPair({ limits: { snapshotBufferBytes: 10 } })
    const gate = deferred<void>()
    b.setHandler(async (_request, { snapshot }) => {
      for await (const _chunk of snapshot!) break
      await gate.promise
      return installed
    })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(1000)))
    for (let chunk = 0; chunk < 10; chunk += 1) end.send(new Uint8Array(100))
    await settle()
    expect(streamB.accepted[0]?.inboxBytes).toBe(0)
    expect(streamB.accepted[0]?.paused).toBe(false)
    gate.resolve()
    expect(await end.receive(encodeResponse(installed).length)).toEqual(encodeResponse(installed))
  })

  it('that is being installed keeps what comes after it on the network', async () => {
    const { b, streamA, streamB } = await openPair()
    const gate = deferred<void>()
    b.setHandler(async (request, context) => {
      if (request.type !== 'install-snapshot') return appended()
      await gate.promise
      return obliging(request, context)
    })
    const end = await RawEnd.dial(streamA)
    end.send(snapshotMessage)
    await settle()
    const accepted = streamB.accepted[0]!
    expect(accepted.paused).toBe(false)
    end.send(...encodeRequest(heartbeat()))
    await settle()
    expect(accepted.paused).toBe(true)
    gate.resolve()
    await settle()
    expect(accepted.paused).toBe(false)
    expect(end.received).toEqual(joined([encodeResponse(installed), encodeResponse(appended())]))
  })
})

describe('too many connections', () => {
  it('end the oldest that never sent a request', async () => {
    const { a, b, streamA } = await openPair({ limits: { maxConnections: 3 } })
    await a.call(peerB, heartbeat())
    const strangers = [await RawEnd.dial(streamA), await RawEnd.dial(streamA)]
    await settle()
    const next = await RawEnd.dial(streamA)
    await settle()
    expect(strangers.map(({ isClosed }) => isClosed)).toEqual([true, false])
    expect(next.isClosed).toBe(false)
    expect(a.stats().idleConnections).toBe(1)
    expect(b.stats().inboundConnections).toBe(3)
  })

  it('end the one that was idle longest when all have sent requests', async () => {
    const { b, clock, streamA } = await openPair({ limits: { maxConnections: 2 } })
    const ends = [await RawEnd.dial(streamA), await RawEnd.dial(streamA)]
    for (const at of [0, 1, 0]) {
      clock.advance(10)
      ends[at]?.send(...encodeRequest(heartbeat()))
      await settle()
    }
    await RawEnd.dial(streamA)
    await settle()
    expect(ends.map(({ isClosed }) => isClosed)).toEqual([false, true])
    expect(b.stats().inboundConnections).toBe(2)
  })

  it('are refused when all the others are in use, with one log line', async () => {
    const { b, streamA, log } = await openPair({ limits: { maxConnections: 2 } })
    b.setHandler(() => new Promise(() => {}))
    for (let connection = 0; connection < 2; connection += 1)
      (await RawEnd.dial(streamA)).send(...encodeRequest(heartbeat()))
    await settle()
    const refused = [await RawEnd.dial(streamA), await RawEnd.dial(streamA)]
    await Promise.all(refused.map(({ closed }) => closed))
    expect(b.stats().inboundConnections).toBe(2)
    expect(log).toMatchObject([{ level: 'warn', fields: { maxConnections: 2 } }])
  })
})

describe('too many bytes of requests', () => {
  const limits = { maxInboundBytes: 10_000 }

  it('that are not whole close the connection that holds most of them', async () => {
    const { b, streamA, log } = await openPair({ limits })
    const large = joined(encodeRequest({ ...forward(), payload: new Uint8Array(100_000) }))
    const ends = [
      await RawEnd.dial(streamA),
      await RawEnd.dial(streamA),
      await RawEnd.dial(streamA),
    ]
    for (const [at, size] of [2000, 5000, 2900].entries()) ends[at]?.send(large.slice(0, size))
    await settle()
    expect(b.stats().inboundConnections).toBe(3)
    ends[0]?.send(large.slice(2000, 2101))
    await ends[1]?.closed
    await settle()
    expect(b.stats().inboundConnections).toBe(2)
    expect(log).toMatchObject([{ level: 'warn', fields: { maxInboundBytes: 10_000 } }])
    ends[0]?.send(large.slice(2101, 6900))
    await settle()
    expect(b.stats().inboundConnections).toBe(2)
  })

  it('do not count for ever when the end of one comes with the beginning of the next', async () => {
    const { b, streamA } = await openPair({ limits })
    const end = await RawEnd.dial(streamA)
    const bytes = joined(encodeRequest({ ...forward(), payload: new Uint8Array(1000) }))
    end.send(bytes.slice(0, 500))
    for (let round = 0; round < 30; round += 1) {
      end.send(joined([bytes.slice(500), bytes.slice(0, 500)]))
      await settle(2)
    }
    expect(b.stats().inboundConnections).toBe(1)
  })

  it('that are not answered count, and those that are do not', async () => {
    const { b, streamA } = await openPair({ limits })
    const { waiting, handler } = patient()
    b.setHandler(handler)
    const request = { ...forward(), payload: new Uint8Array(4000) }
    const end = await RawEnd.dial(streamA)
    const other = await RawEnd.dial(streamA)
    for (let round = 0; round < 5; round += 1) {
      end.send(...encodeRequest(request))
      other.send(...encodeRequest(request))
      await settle()
      expect(b.stats().inboundConnections).toBe(2)
      for (const { answer } of waiting.splice(0)) answer(request)
      await settle()
    }
    for (const connection of [end, other, end]) connection.send(...encodeRequest(request))
    await end.closed
    await settle()
    expect(b.stats().inboundConnections).toBe(1)
    expect(other.isClosed).toBe(false)
  })

  it('do not count when they are of a snapshot', async () => {
    const { streamA } = await openPair({ limits })
    const end = await RawEnd.dial(streamA)
    end.send(...encodeRequest(snapshotOf(100_000)))
    for (let chunk = 0; chunk < 100; chunk += 1) end.send(new Uint8Array(1000))
    expect(await end.receive(encodeResponse(installed).length)).toEqual(encodeResponse(installed))
  })
})
