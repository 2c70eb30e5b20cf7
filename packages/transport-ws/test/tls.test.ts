import { once } from 'node:events'
import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { describe, expect, it, onTestFinished } from 'vitest'
import { WsStreamLayer } from '../src/index.ts'
import { elsewhere, member, stranger } from './certificates.ts'
import { connected, listening } from './ws-rig.ts'

const dialFailed = (words: RegExp) => ({
  code: 'RAFT_DIAL_FAILED',
  message: expect.stringMatching(words) as string,
})

describe('TLS on a port of its own', () => {
  it('carries bytes between members', async () => {
    const { near, far } = await connected({ tls: member })
    near.start()
    far.start()
    near.connection.write([new Uint8Array(100_000)])
    await far.has(100_000)
    expect(far.bytes.byteLength).toBe(100_000)
  })

  it('is not spoken to without', async () => {
    const secure = await listening({ tls: member })
    const plain = await listening()
    await expect(plain.dial(secure.address)).rejects.toMatchObject(dialFailed(/./))
    await expect(secure.dial(plain.address)).rejects.toMatchObject(dialFailed(/./))
  })

  it('refuses a server whose certificate is for another host, unless that is its name here', async () => {
    const server = await listening({ tls: elsewhere })
    const client = await listening({ tls: member })
    await expect(client.dial(server.address)).rejects.toMatchObject(
      dialFailed(/does not match certificate/),
    )
    const knowing = await listening({ tls: { ...member, serverName: 'elsewhere.example' } })
    await Promise.all([knowing.dial(server.address), server.accept()])
  })

  it('refuses a server of another authority', async () => {
    const server = await listening({ tls: stranger })
    const client = await listening({ tls: member })
    await expect(client.dial(server.address)).rejects.toMatchObject(dialFailed(/./))
  })

  it('refuses a client of another authority, or without a certificate, with one log line each', async () => {
    const server = await listening({ tls: member })
    const client = await listening({ tls: stranger })
    await expect(client.dial(server.address)).rejects.toMatchObject(dialFailed(/./))
    const anonymous = connectTls({
      port: Number(server.address.split(':')[1]),
      host: '127.0.0.1',
      ca: member.ca,
    })
    onTestFinished(() => {
      anonymous.destroy()
    })
    await once(anonymous, 'error')
    expect(server.logger.lines.map((line) => line.message)).toEqual([
      expect.stringMatching(/its certificate was refused \(UNABLE_TO_/),
      expect.stringMatching(/no TLS handshake: .*peer did not return a certificate/),
    ])
  })

  it('ends a handshake that takes too long', async () => {
    const server = await listening({ tls: member, handshakeTimeoutMs: 30 })
    const socket = connect(Number(server.address.split(':')[1]), '127.0.0.1')
    await once(socket, 'close')
    expect(socket.bytesRead).toBe(0)
  })

  it('refuses what cannot be read', async () => {
    const layer = new WsStreamLayer({
      bind: '127.0.0.1:0',
      tls: { cert: member.cert, key: elsewhere.key, ca: member.ca },
    })
    onTestFinished(() => layer.close())
    await expect(layer.listen(() => {})).rejects.toMatchObject({
      code: 'RAFT_INVALID_CONFIG',
      message: expect.stringMatching(/a key that belongs to the certificate/) as string,
    })
  })
})
