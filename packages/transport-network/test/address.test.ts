import {
  formatAddress,
  isUnspecifiedHost,
  parseAddress,
  resolveListenAddress,
} from '@raftkit/transport-network'
import { describe, expect, it } from 'vitest'

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:7000', '127.0.0.1', 7000],
    ['node-1.example.org:65535', 'node-1.example.org', 65535],
    ['localhost:0', 'localhost', 0],
    ['[::1]:7000', '::1', 7000],
    ['[fe80::1%eth0]:7000', 'fe80::1%eth0', 7000],
    [':7000', '', 7000],
  ])('reads %s', (text, host, port) => {
    expect(parseAddress(text)).toEqual({ host, port })
  })

  it.each([
    '',
    'localhost',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:port',
    '127.0.0.1:65536',
    '127.0.0.1:-1',
    '127.0.0.1:70000000',
    '::1:7000',
    '::1',
    '[]:7000',
    '[::1]',
    '[localhost]:7000',
    'http://node:7000',
    'node:7000/path',
    'a b:7000',
    'node:70 ',
    'node:7000\n',
  ])('refuses %j and says how to write it', (text) => {
    expect(() => parseAddress(text)).toThrow(
      expect.objectContaining({
        code: 'RAFT_INVALID_ADDRESS',
        message: expect.stringContaining('[::1]:7000') as string,
      }),
    )
  })

  it('is the reverse of formatAddress', () => {
    for (const text of ['127.0.0.1:7000', 'node:1', '[::1]:7000', '[fe80::1%eth0]:9']) {
      const { host, port } = parseAddress(text)
      expect(formatAddress(host, port)).toBe(text)
    }
  })
})

describe('isUnspecifiedHost', () => {
  it.each(['', '0.0.0.0', '0', '::', '::0', '0:0:0:0:0:0:0:0', '::ffff:0.0.0.0'])(
    'is true for %j',
    (host) => expect(isUnspecifiedHost(host)).toBe(true),
  )
  it.each(['127.0.0.1', '10.0.0.0', '::1', 'fe80::', 'localhost', '0x.example'])(
    'is false for %j',
    (host) => expect(isUnspecifiedHost(host)).toBe(false),
  )
})

describe('resolveListenAddress', () => {
  it('advertises what is bound, as it is written', () => {
    const address = resolveListenAddress('LocalHost:7000')
    expect(address).toMatchObject({ host: 'LocalHost', port: 7000 })
    expect(address.advertised(7000)).toBe('LocalHost:7000')
  })

  it('advertises the port that the system chose', () => {
    expect(resolveListenAddress('127.0.0.1:0').advertised(4711)).toBe('127.0.0.1:4711')
    expect(resolveListenAddress('[::1]:0').advertised(4711)).toBe('[::1]:4711')
  })

  it('advertises something else than it binds', () => {
    const address = resolveListenAddress('0.0.0.0:7000', 'node1.example:17000')
    expect(address).toMatchObject({ host: '0.0.0.0', port: 7000 })
    expect(address.advertised(7000)).toBe('node1.example:17000')
  })

  it.each([
    ['0.0.0.0:7000', undefined, 'pass the address that the others shall use as advertise'],
    ['[::]:7000', undefined, 'advertise'],
    [':7000', undefined, 'advertise'],
    ['0.0.0.0:7000', '0.0.0.0:7000', 'name one address'],
    ['0.0.0.0:7000', '[::]:7000', 'name one address'],
    ['0.0.0.0:7000', ':7000', 'name one address'],
    ['0.0.0.0:7000', 'node:0', 'real port'],
    ['0.0.0.0:0', 'node:7000', 'fixed port'],
    ['nonsense', 'node:7000', 'host:port'],
    ['0.0.0.0:7000', 'nonsense', 'host:port'],
  ])('refuses bind %s with advertise %s', (bind, advertise, advice) => {
    expect(() => resolveListenAddress(bind, advertise)).toThrow(
      expect.objectContaining({
        code: 'RAFT_INVALID_ADDRESS',
        message: expect.stringContaining(advice) as string,
      }),
    )
  })
})
