import { readConfigurationJson, readPeersJson } from '@raftkit/raft-core'
import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'

function problemsOf(read: (text: string) => unknown, text: string): readonly string[] {
  try {
    read(text)
  } catch (error) {
    if (RaftError.is(error, 'RAFT_INVALID_CONFIGURATION'))
      return error.details['problems'] as string[]
    throw error
  }
  throw new Error('it was not refused')
}

describe('readConfigurationJson', () => {
  it('reads members, voters unless they say otherwise', () => {
    const text = `[
      { "id": "adf4238a", "address": "127.0.0.1:123" },
      { "id": "8b6dda82", "address": "127.0.0.2:123", "non_voter": false },
      { "id": "97e17742", "address": "127.0.0.3:123", "non_voter": true }
    ]`
    expect(readConfigurationJson(text)).toEqual({
      servers: [
        { suffrage: 'voter', id: 'adf4238a', address: '127.0.0.1:123' },
        { suffrage: 'voter', id: '8b6dda82', address: '127.0.0.2:123' },
        { suffrage: 'nonvoter', id: '97e17742', address: '127.0.0.3:123' },
      ],
    })
  })

  it('takes a byte order mark', () => {
    expect(readConfigurationJson('\uFEFF[{"id":"a","address":"a:1"}]').servers).toHaveLength(1)
  })

  it.each<[string, string]>([
    ['{', 'it is not JSON'],
    ['{"a": 1}', 'it is not an array of members'],
    ['[]', 'need at least one voter'],
    ['["a:1"]', 'member 1 is not an object with id and address'],
    ['[null]', 'member 1 is not an object'],
    ['[{"id":"a","address":"a:1"},{"address":"b:1"}]', 'member 2 has no id that is a string'],
    ['[{"id":"a"}]', 'member 1 has no address that is a string'],
    ['[{"id":1,"address":"a:1"}]', 'member 1 has no id that is a string'],
    [
      '[{"id":"a","address":"a:1","non_voter":"yes"}]',
      'member 1 has a non_voter that is no boolean',
    ],
    ['[{"id":"a","address":"a:1","nonvoter":true}]', 'member 1 has an unknown field nonvoter'],
    ['[{"id":"a","address":"a:1","non_voter":true}]', 'need at least one voter'],
    ['[{"id":"","address":"a:1"}]', 'empty ID in configuration'],
    [
      '[{"id":"a","address":"a:1"},{"id":"b","address":"a:1"}]',
      'found duplicate address in configuration: a:1',
    ],
    [' '.repeat(1024 * 1024 + 1), 'it is longer than'],
  ])('refuses %.60s', (text, problem) => {
    expect(problemsOf(readConfigurationJson, text).join('; ')).toContain(problem)
  })

  it('names all problems', () => {
    expect(problemsOf(readConfigurationJson, '[{"id":1},{"address":2}, 3]')).toHaveLength(5)
  })
})

describe('readPeersJson', () => {
  it('reads addresses of voters, which are their ids', () => {
    expect(readPeersJson('["127.0.0.1:123", "127.0.0.2:123"]')).toEqual({
      servers: [
        { suffrage: 'voter', id: '127.0.0.1:123', address: '127.0.0.1:123' },
        { suffrage: 'voter', id: '127.0.0.2:123', address: '127.0.0.2:123' },
      ],
    })
  })

  it.each<[string, string]>([
    ['[1]', 'member 1 is not an address'],
    ['[""]', 'empty ID in configuration'],
    ['["a:1","a:1"]', 'found duplicate ID in configuration: a:1'],
    ['[]', 'need at least one voter'],
    ['"a:1"', 'it is not an array'],
  ])('refuses %s', (text, problem) => {
    expect(problemsOf(readPeersJson, text).join('; ')).toContain(problem)
  })
})
