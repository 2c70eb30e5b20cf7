import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { KvClient } from '../src/client.ts'
import { freePorts } from '../src/ports.ts'

let server: Server | undefined

afterEach(() => {
  server?.closeAllConnections()
  server?.close()
  server = undefined
})

async function clientOf(listener: RequestListener, timeoutMs?: number): Promise<KvClient> {
  server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return new KvClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, timeoutMs)
}

const replying =
  (status: number, body: unknown): RequestListener =>
  (_request, response) => {
    response.writeHead(status).end(JSON.stringify(body))
  }

describe('KvClient', () => {
  it.each([
    [200, {}, 'acknowledged'],
    [201, {}, 'acknowledged'],
    [503, { outcome: 'not-committed' }, 'refused'],
    [504, { outcome: 'unknown' }, 'unknown'],
    [503, { outcome: 'committed' }, 'unknown'],
    [500, {}, 'unknown'],
    [500, null, 'unknown'],
  ])('takes an answer %d %j for %s', async (status, body, outcome) => {
    expect(await (await clientOf(replying(status, body))).put('a', 'b')).toBe(outcome)
  })

  it('does not know the outcome when the connection breaks', async () => {
    const client = await clientOf((request) => request.socket.destroy())
    expect(await client.put('a', 'b')).toBe('unknown')
  })

  it('does not know the outcome when no answer comes', async () => {
    const client = await clientOf(() => {}, 50)
    expect(await client.put('a', 'b')).toBe('unknown')
  })

  it('knows that nothing happened when nobody listens', async () => {
    const [port] = await freePorts(1)
    expect(await new KvClient(`http://127.0.0.1:${port}`).put('a', 'b')).toBe('refused')
  })

  it('reads all pages', async () => {
    const client = await clientOf((request, response) => {
      const after = new URL(request.url!, 'http://x').searchParams.get('after')
      const page =
        after === ''
          ? {
              entries: [
                ['a', '1'],
                ['b', '2'],
              ],
              more: true,
            }
          : { entries: [[`${after}c`, '3']], more: false }
      response.end(JSON.stringify(page))
    })
    expect(await client.dump()).toEqual(
      new Map([
        ['a', '1'],
        ['b', '2'],
        ['bc', '3'],
      ]),
    )
  })

  it('has no status of a node that does not answer', async () => {
    const [port] = await freePorts(1)
    const client = new KvClient(`http://127.0.0.1:${port}`)
    expect([await client.status(), await client.ready()]).toEqual([undefined, false])
  })
})

describe('freePorts', () => {
  it('gives as many different ports as asked', async () => {
    const ports = await freePorts(10)
    expect(new Set(ports).size).toBe(10)
    expect(ports.every((port) => port > 0)).toBe(true)
  })
})
