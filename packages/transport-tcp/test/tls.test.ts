import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { createTcpTransport, TcpStreamLayer, type TcpTlsOptions } from '@raftkit/transport-tcp'
import { describe, expect, it, onTestFinished } from 'vitest'
import { elsewhere, expired, member, mistaken, stranger } from './certificates.ts'
import { heartbeat, ListLogger, openTransport, peerOf, RawSocket } from './fixtures.ts'

/** What a call from one to the other comes to. */
async function call(from: TcpTlsOptions | undefined, to: TcpTlsOptions | undefined) {
  const logger = new ListLogger()
  const a = await openTransport(from === undefined ? {} : { tls: from })
  const b = await openTransport({ ...(to === undefined ? {} : { tls: to }), logger })
  let handled = 0
  b.setHandler((request) => {
    handled += 1
    return {
      type: 'append-entries',
      header: request.header,
      term: 1,
      lastLogIndex: 0,
      success: true,
      noRetryBackoff: false,
    }
  })
  const code = await a.call(peerOf(b), heartbeat()).then(
    () => 'answered',
    (error: { code: string }) => error.code,
  )
  return { code, handled, logger }
}

describe('mutual TLS', () => {
  it('connects members', async () => {
    expect(await call(member, member)).toMatchObject({ code: 'answered', handled: 1 })
  })

  it('connects members by host name', async () => {
    const a = await openTransport({ tls: member })
    const b = await openTransport({ bind: 'localhost:0', tls: member })
    expect(await a.call(peerOf(b), heartbeat())).toMatchObject({ success: true })
  })

  // The refused side of TLS 1.3 may see its connection made before it sees it refused.
  const refused = /^RAFT_(DIAL_FAILED|CONNECTION_LOST)$/

  it.each([
    ['a certificate of another authority', stranger],
    ['an expired certificate', expired],
    ['no TLS at all', undefined],
  ])('refuses a caller with %s', async (_what, from) => {
    const { code, handled, logger } = await call(from, member)
    expect(code).toMatch(refused)
    expect(handled).toBe(0)
    expect((await logger.first()).level).toBe('warn')
  })

  it.each([
    ['a certificate of another authority', member, stranger],
    ['an expired certificate', member, expired],
    ['a certificate for another host', member, elsewhere],
    ['a certificate of an authority that the caller does not trust', mistaken, member],
    ['no TLS at all', member, undefined],
  ])('does not call a server with %s', async (_what, from, to) => {
    const { code, handled } = await call(from, to)
    expect(code).toBe('RAFT_DIAL_FAILED')
    expect(handled).toBe(0)
  })

  it('refuses a caller without a certificate', async () => {
    const logger = new ListLogger()
    const b = await openTransport({ tls: member, logger })
    const [host, port] = b.localAddress.split(':')
    const socket = connectTls({ host: host!, port: Number(port), ca: [member.ca as string] })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.on('close', resolve))
    expect((await logger.first()).message).toContain('no TLS handshake')
  })

  it('speaks TLS 1.3 and nothing older unless told to', async () => {
    const b = await openTransport({ tls: member })
    const old = await openTransport({ tls: { ...member, minVersion: 'TLSv1.2' } })
    const handshake = (address: string): Promise<string | null> =>
      new Promise((resolve) => {
        const [host, port] = address.split(':')
        const { cert, key, ca } = member
        const socket = connectTls(
          {
            host: host!,
            port: Number(port),
            cert: cert as string,
            key: key as string,
            ca: ca as string,
            maxVersion: 'TLSv1.2',
          },
          () => {
            resolve(socket.getProtocol())
            socket.destroy()
          },
        )
        socket.on('error', () => resolve(null))
      })
    expect(await handshake(b.localAddress)).toBeNull()
    expect(await handshake(old.localAddress)).toBe('TLSv1.2')
  })

  it('checks the name that it is told to', async () => {
    expect(await call({ ...member, serverName: 'elsewhere.example' }, elsewhere)).toMatchObject({
      code: 'answered',
    })
    expect(await call({ ...member, serverName: 'elsewhere.example' }, member)).toMatchObject({
      code: 'RAFT_DIAL_FAILED',
    })
  })

  it('lets authorizePeer have the last word, on both sides', async () => {
    const seen: string[] = []
    const onlyMembers: TcpTlsOptions = {
      ...member,
      authorizePeer: (certificate) => {
        seen.push(certificate.subject.CN as string)
        return certificate.subjectaltname?.includes('URI:raft://test/') ?? false
      },
    }
    expect(await call(member, onlyMembers)).toMatchObject({ code: 'answered' })
    expect(seen).toEqual(['member'])
    const asCaller = await call(elsewhere, onlyMembers)
    expect(asCaller.code).toMatch(refused)
    expect(asCaller.handled).toBe(0)
    expect((await asCaller.logger.first()).message).toContain('authorizePeer')
    const named: TcpTlsOptions = { ...onlyMembers, serverName: 'elsewhere.example' }
    expect(await call(named, elsewhere)).toMatchObject({ code: 'RAFT_DIAL_FAILED', handled: 0 })
  })

  it('ends a handshake that takes too long', async () => {
    const logger = new ListLogger()
    const b = await openTransport({ tls: { ...member, handshakeTimeoutMs: 30 }, logger })
    const raw = new RawSocket(b.localAddress)
    await raw.closed
    expect((await logger.first()).message).toContain('no TLS handshake')
  })

  it('holds only so many handshakes at once', async () => {
    const b = await openTransport({ tls: { ...member, maxHandshakes: 2 } })
    const raws = [1, 2, 3, 4].map(() => new RawSocket(b.localAddress))
    await Promise.race(raws.map(({ closed }) => closed))
    const a = await openTransport({ tls: member })
    expect(await a.call(peerOf(b), heartbeat())).toMatchObject({ success: true })
    while (raws.filter(({ isClosed }) => isClosed).length < 2)
      await new Promise((resolve) => setImmediate(resolve))
  })

  it('ends handshakes that are under way when it closes', async () => {
    const b = await openTransport({ tls: member })
    const [host, port] = b.localAddress.split(':')
    const socket = connect({ host: host!, port: Number(port) })
    socket.on('error', () => {})
    const ended = new Promise((resolve) => socket.on('close', resolve))
    await new Promise((resolve) => socket.on('connect', resolve))
    const a = await openTransport({ tls: member })
    const pending = a.call(peerOf(b), heartbeat()).catch((error: { code: string }) => error.code)
    await b.close()
    await ended
    expect(await pending).toMatch(/RAFT_(DIAL_FAILED|CONNECTION_LOST)/)
  })

  it('can be closed in the turn in which a handshake is done', async () => {
    // To destroy the socket below a TLS socket together with it crashes Node 20.
    for (let round = 0; round < 20; round += 1) {
      const from = new TcpStreamLayer({ bind: '127.0.0.1:0', tls: member })
      const to = new TcpStreamLayer({ bind: '127.0.0.1:0', tls: member })
      const accepted = new Promise<void>((resolve) => {
        void to.listen((connection) => {
          connection.start({ onData: () => {}, onClose: () => {} })
          resolve()
        })
      })
      await new Promise((resolve) => setImmediate(resolve))
      const connection = await from.dial(to.localAddress, { timeoutMs: 10_000 })
      connection.start({ onData: () => {}, onClose: () => {} })
      await accepted
      await Promise.all([from.close(), to.close()])
    }
    expect.assertions(0)
  })
})

describe('reloadTls', () => {
  const options = { timeoutMs: 10_000 }

  async function listening(tls: TcpTlsOptions): Promise<TcpStreamLayer> {
    const layer = new TcpStreamLayer({ bind: '127.0.0.1:0', tls })
    onTestFinished(() => layer.close())
    await layer.listen((connection) => connection.start({ onData: () => {}, onClose: () => {} }))
    return layer
  }

  it('uses the new certificate for both directions', async () => {
    const old = await listening(elsewhere)
    const other = await listening(member)
    await expect(other.dial(old.localAddress, options)).rejects.toMatchObject({
      code: 'RAFT_DIAL_FAILED',
    })
    old.reloadTls(member)
    const connection = await other.dial(old.localAddress, options)
    expect(connection.remoteAddress).toBe(old.localAddress)
    other.reloadTls(mistaken)
    await expect(other.dial(old.localAddress, options)).rejects.toMatchObject({
      code: 'RAFT_DIAL_FAILED',
    })
  })

  it('refuses what does not fit and goes on as before', async () => {
    const layer = await listening(member)
    const other = await listening(member)
    expect(() => layer.reloadTls({ ...member, key: elsewhere.key })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    )
    const connection = await other.dial(layer.localAddress, options)
    expect(connection.remoteAddress).toBe(layer.localAddress)
    const plain = new TcpStreamLayer({ bind: '127.0.0.1:0' })
    expect(() => plain.reloadTls(member)).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_CONFIG' }),
    )
  })
})

describe('tls options', () => {
  it('name what is missing', async () => {
    const { cert } = member
    const tls = { cert, key: '', ca: [] } satisfies TcpTlsOptions
    await expect(createTcpTransport({ bind: '127.0.0.1:0', tls })).rejects.toMatchObject({
      code: 'RAFT_INVALID_CONFIG',
      details: { missing: ['key', 'ca'] },
    })
  })

  it('must belong together', async () => {
    const tls = { ...member, key: elsewhere.key }
    await expect(createTcpTransport({ bind: '127.0.0.1:0', tls })).rejects.toMatchObject({
      code: 'RAFT_INVALID_CONFIG',
      message: expect.stringContaining('key that belongs') as string,
    })
  })

  it('are taken as bytes and as a list, too', async () => {
    const bytes = (text: string | Uint8Array): Uint8Array =>
      typeof text === 'string' ? new TextEncoder().encode(text) : text
    const tls: TcpTlsOptions = {
      cert: bytes(member.cert),
      key: bytes(member.key),
      ca: [bytes(member.ca as string)],
    }
    expect(await call(tls, tls)).toMatchObject({ code: 'answered' })
  })
})
