import { describe, expect, it } from 'vitest'
import { addressProblem, parseHostPort } from '../../src/start/address.ts'

describe('parseHostPort', () => {
  it.each([
    ['127.0.0.1:7000', { host: '127.0.0.1', port: 7000 }],
    ['node-1.example.org:1', { host: 'node-1.example.org', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65535 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
  ])('reads %s', (text, parsed) => {
    expect(parseHostPort(text)).toEqual(parsed)
  })

  it.each([
    '',
    'host',
    'host:',
    ':7000',
    'host:65536',
    'host:7 000',
    '::1:7000',
    'a/b:1',
    'http://a:1',
    'host:-1',
    'host:1e3',
    '[]:1',
  ])('refuses %j', (text) => {
    expect(parseHostPort(text)).toBeUndefined()
  })
})

describe('addressProblem', () => {
  it.each([
    ['10.0.0.1', 'not host:port'],
    ['10.0.0.1:0', 'port 0'],
    ['0.0.0.0:7000', 'every interface'],
    ['[::]:7000', 'every interface'],
    [undefined, 'not host:port'],
    [7000, 'not host:port'],
  ])('says what is wrong with %j', (address, problem) => {
    expect(addressProblem(address)).toContain(problem)
  })

  it('has nothing to say about a good one', () => {
    expect(addressProblem('10.0.0.1:7000')).toBeUndefined()
  })
})
