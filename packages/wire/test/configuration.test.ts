import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Configuration } from '@raftkit/interface'
import { decodeConfiguration, encodeConfiguration, encodePeers } from '@raftkit/wire'
import { hex, unhex } from './hex.ts'

const server = fc.record(
  {
    suffrage: fc.constantFrom('voter', 'nonvoter', 'staging'),
    id: fc.string({ unit: 'grapheme' }),
    address: fc.string({ unit: 'grapheme' }),
    diskId: fc.maxSafeNat(),
  },
  { requiredKeys: ['suffrage', 'id', 'address'] },
)

function of(...ids: readonly string[]): Configuration {
  return { servers: ids.map((id) => ({ suffrage: 'voter', id, address: `${id}:1` })) }
}

describe('configurations', () => {
  it('read back as they were written', () => {
    fc.assert(
      fc.property(fc.array(server, { maxLength: 40 }), (servers) => {
        expect(decodeConfiguration(encodeConfiguration({ servers }))).toEqual({ servers })
      }),
    )
  })

  it('that are joint read back as they were written', () => {
    const servers = fc.array(server, { maxLength: 10 })
    fc.assert(
      fc.property(servers, servers, (before, next) => {
        const joint = { servers: before, next }
        expect(decodeConfiguration(encodeConfiguration(joint))).toEqual(joint)
      }),
    )
  })

  it('that are joint have one key more, in front of the one that hashicorp/raft reads', () => {
    const { servers } = of('n1')
    const next = of('n2').servers
    const plain = hex(encodeConfiguration({ servers }))
    expect(hex(encodeConfiguration({ servers, next }))).toBe(
      `82ab${ascii('RaftkitNext')}${hex(encodeConfiguration({ servers: next })).slice(18)}${plain.slice(2)}`,
    )
  })

  it.each<readonly [string, string]>([
    ['nothing', ''],
    ['bytes after it', hex(encodeConfiguration(of('n1'))) + 'c0'],
    ['a cut', hex(encodeConfiguration(of('n1'))).slice(0, -2)],
    [
      'an unknown suffrage',
      '81a7536572766572739183a741646472657373a161a24944a162a8537566667261676503',
    ],
    [
      'a negative suffrage',
      '81a7536572766572739183a741646472657373a161a24944a162a85375666672616765ff',
    ],
    ['a nil server', '81a75365727665727391c0'],
    ['servers that are a string', '81a753657276657273a161'],
    ['an id that is not UTF-8', '81a7536572766572739181a24944a2c328'],
    ['a list longer than the bytes', '81a753657276657273dd7fffffff'],
  ])('refuses %s', (_, bytes) => {
    expect(() => decodeConfiguration(unhex(bytes))).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
    )
  })

  it('are held to the number of servers of the second half too', () => {
    const bytes = encodeConfiguration({ ...of('n1'), next: of('n2', 'n3').servers })
    expect(() => decodeConfiguration(bytes, { maxServers: 1 })).toThrow(
      expect.objectContaining({ code: 'RAFT_LIMIT_EXCEEDED' }),
    )
  })

  it('are held to the number of servers and the length of their names', () => {
    const bytes = encodeConfiguration(of('n1', 'n2', 'n3'))
    expect(decodeConfiguration(bytes, { maxServers: 3, maxStringBytes: 8 }).servers).toHaveLength(3)
    for (const [limit, value] of Object.entries({ maxServers: 2, maxStringBytes: 7 }))
      expect(() => decodeConfiguration(bytes, { [limit]: value })).toThrow(
        expect.objectContaining({
          code: 'RAFT_LIMIT_EXCEEDED',
          details: expect.objectContaining({ limit }) as unknown,
        }),
      )
  })
})

describe('encodePeers', () => {
  it('lists the addresses of the voters only', () => {
    const configuration: Configuration = {
      servers: [
        { suffrage: 'voter', id: 'n1', address: '127.0.0.1:17001' },
        { suffrage: 'nonvoter', id: 'n2', address: '127.0.0.1:17002' },
        { suffrage: 'staging', id: 'n3', address: '127.0.0.1:17003' },
        { suffrage: 'voter', id: 'n4', address: '127.0.0.1:17004' },
      ],
    }
    expect(hex(encodePeers(configuration))).toBe(
      `92af${ascii('127.0.0.1:17001')}af${ascii('127.0.0.1:17004')}`,
    )
  })

  it('is nil without voters', () => {
    expect(hex(encodePeers({ servers: [] }))).toBe('c0')
  })
})

function ascii(text: string): string {
  return hex(new TextEncoder().encode(text))
}
