import { createServer } from 'node:http'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { WsStreamLayer, type WsStreamOptions } from '../src/index.ts'
import { member } from './certificates.ts'

const server = createServer()

const failed = (code: string, words: RegExp) => ({
  code,
  message: expect.stringMatching(words) as string,
})

const thrownBy = (options: WsStreamOptions): unknown => {
  try {
    return new WsStreamLayer(options)
  } catch (error) {
    return error
  }
}

describe('the options', () => {
  it.each<[string, WsStreamOptions, RegExp]>([
    ['no place to listen', {}, /bind .* or server .* must be given/],
    ['two of them', { bind: '127.0.0.1:1', server }, /exclude each other/],
    ['a server without an address', { server }, /advertise must be given with server/],
    ['a bad path', { bind: '127.0.0.1:1', path: 'raft' }, /path must start with "\/"/],
    ['a path with a query', { bind: '127.0.0.1:1', path: '/raft?x' }, /path must start with/],
    ['half a TLS', { bind: '127.0.0.1:1', tls: { cert: 'x' } }, /tls needs key, ca/],
    ['a key without a certificate', { server, advertise: 'a:1', tls: { key: 'x' } }, /go together/],
    ['a small message limit', { bind: '127.0.0.1:1', maxMessageBytes: 1 }, /from 65536 to/],
    ['a timer beyond Node', { bind: '127.0.0.1:1', pingIntervalMs: 2 ** 31 }, /pingIntervalMs/],
  ])('are refused with %s', (_, options, words) => {
    expect(thrownBy(options)).toMatchObject(failed('RAFT_INVALID_CONFIG', words))
  })

  it('are refused with all problems at once', () => {
    const error = thrownBy({ bind: '127.0.0.1:1', path: '', backlog: 0, sendBufferBytes: 1.5 })
    expect(RaftError.is(error, 'RAFT_INVALID_CONFIG')).toBe(true)
    expect(error).toMatchObject({
      details: {
        problems: [
          expect.stringContaining('path'),
          expect.stringContaining('sendBufferBytes'),
          expect.stringContaining('backlog'),
        ],
      },
    })
  })

  it.each<[string, WsStreamOptions, RegExp]>([
    ['no address', { bind: 'here' }, /is not an address/],
    ['an address for nobody', { bind: '0.0.0.0:7000' }, /every interface/],
    ['nobody to advertise', { server, advertise: '0.0.0.0:7000' }, /advertise address/],
    ['no port to advertise', { server, advertise: 'a:0' }, /needs its real port/],
    ['nothing to advertise', { server, advertise: 'a' }, /is not an address/],
  ])('are refused with %s', (_, options, words) => {
    expect(thrownBy(options)).toMatchObject(failed('RAFT_INVALID_ADDRESS', words))
  })

  it('take what is needed and no more', () => {
    expect(new WsStreamLayer({ bind: '127.0.0.1:7000' }).localAddress).toBe('127.0.0.1:7000')
    expect(new WsStreamLayer({ server, advertise: 'a:7000', tls: {} }).localAddress).toBe('a:7000')
    expect(
      new WsStreamLayer({ bind: '[::1]:7000', advertise: 'b:80', tls: member }).localAddress,
    ).toBe('b:80')
  })
})
