import type { Configuration, SnapshotMeta } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { decodeMeta, encodeMeta } from '../src/meta-file.ts'

/** Written by hashicorp/raft; Go's encoder ends it with a newline. */
const REAL_FILE =
  '{"Version":1,"ID":"2-8-1795350674353","Index":8,"Term":2,' +
  '"Peers":"k68xMjcuMC4wLjE6MTcwMDGvMTI3LjAuMC4xOjE3MDAyrzEyNy4wLjAuMToxNzAwMw==",' +
  '"Configuration":{"Servers":[{"Suffrage":0,"ID":"n1","Address":"127.0.0.1:17001"},' +
  '{"Suffrage":0,"ID":"n2","Address":"127.0.0.1:17002"},' +
  '{"Suffrage":0,"ID":"n3","Address":"127.0.0.1:17003"}]},' +
  '"ConfigurationIndex":1,"Size":29,"CRC":"IVtNd1ToxOs="}\n'

const REAL_META: SnapshotMeta = {
  id: '2-8-1795350674353',
  version: 1,
  index: 8,
  term: 2,
  configuration: {
    servers: [
      { suffrage: 'voter', id: 'n1', address: '127.0.0.1:17001' },
      { suffrage: 'voter', id: 'n2', address: '127.0.0.1:17002' },
      { suffrage: 'voter', id: 'n3', address: '127.0.0.1:17003' },
    ],
  },
  configurationIndex: 1,
  size: 29,
}

const REAL_CHECKSUM = new Uint8Array(Buffer.from('215b4d7754e8c4eb', 'hex'))

const decode = (text: string, id = REAL_META.id) =>
  decodeMeta(new TextEncoder().encode(text), id, '/snapshots/x')

function encode(configuration: Configuration): string {
  return Buffer.from(
    encodeMeta({ meta: { ...REAL_META, configuration }, checksum: REAL_CHECKSUM }),
  ).toString()
}

const thrownBy = (call: () => unknown): unknown => {
  try {
    call()
  } catch (error) {
    return error
  }
  return undefined
}

const damage = (words: RegExp) => ({
  name: 'RaftError',
  code: 'RAFT_SNAPSHOT_CORRUPT',
  details: { path: '/snapshots/x' },
  message: expect.stringMatching(words) as string,
})

describe('meta.json', () => {
  it('keeps the disks of servers, in a field that Go skips', () => {
    const servers = REAL_META.configuration.servers.map((server, at) => ({
      ...server,
      diskId: 2 ** 53 - 1 - at,
    }))
    const text = encode({ servers })
    expect(text).toContain('"Address":"127.0.0.1:17001","RaftkitDisk":9007199254740991}')
    expect(decode(text).meta.configuration).toEqual({ servers })
  })

  it('keeps both halves of a joint configuration, in a field that Go skips', () => {
    const { servers } = REAL_META.configuration
    const next = [
      { suffrage: 'voter', id: 'n1', address: '127.0.0.1:17001', diskId: 7 },
      { suffrage: 'nonvoter', id: 'n4', address: '127.0.0.1:17004' },
    ] as const
    const text = encode({ servers, next })
    expect(text).toContain(
      '"Address":"127.0.0.1:17003"}],"RaftkitNext":[{"Suffrage":0,"ID":"n1","Address":"127.0.0.1:17001","RaftkitDisk":7},' +
        '{"Suffrage":1,"ID":"n4","Address":"127.0.0.1:17004"}]},',
    )
    expect(decode(text).meta.configuration).toEqual({ servers, next })
    expect(
      thrownBy(() => decode(text.replace('"RaftkitNext":[', '"RaftkitNext":7,"x":['))),
    ).toMatchObject(damage(/RaftkitNext is not a list/))
  })

  it('of a real hashicorp/raft snapshot is written byte for byte', () => {
    const bytes = encodeMeta({ meta: REAL_META, checksum: REAL_CHECKSUM })
    expect(Buffer.from(bytes).toString()).toBe(REAL_FILE)
  })

  it('of a real hashicorp/raft snapshot is read', () => {
    expect(decode(REAL_FILE)).toEqual({ meta: REAL_META, checksum: REAL_CHECKSUM })
  })

  it("has Go's escapes", () => {
    const text = encode({
      servers: [
        { suffrage: 'voter', id: '<a>&\u2028\u2029', address: 'h"o\\st\u0001\t:1' },
        { suffrage: 'nonvoter', id: 'é', address: 'b:2' },
        { suffrage: 'staging', id: 'c', address: 'c:3' },
      ],
    })
    expect(text).toContain(
      '"Servers":[{"Suffrage":0,"ID":"\\u003ca\\u003e\\u0026\\u2028\\u2029","Address":"h\\"o\\\\st\\u0001\\t:1"},' +
        '{"Suffrage":1,"ID":"é","Address":"b:2"},{"Suffrage":2,"ID":"c","Address":"c:3"}]',
    )
    expect(decode(text).meta.configuration.servers[0]?.id).toBe('<a>&\u2028\u2029')
    expect(decode(text).meta.configuration.servers[2]?.suffrage).toBe('staging')
  })

  it('has null where Go has no servers', () => {
    const text = encode({ servers: [] })
    expect(text).toContain('"Peers":"wA==","Configuration":{"Servers":null}')
    expect(decode(text).meta.configuration).toEqual({ servers: [] })
  })

  it('keeps numbers up to 2^53 - 1', () => {
    const [index, term] = [Number.MAX_SAFE_INTEGER, 2 ** 40 + 1]
    const meta = { ...REAL_META, id: `${term}-${index}-1`, index, term }
    const bytes = encodeMeta({ meta, checksum: REAL_CHECKSUM })
    expect(decodeMeta(bytes, meta.id, '/x').meta).toEqual(meta)
  })

  it.each([
    ['', '', /not JSON/],
    ['"Term":2', '"Term":9007199254740993', /Term is not an integer/],
    ['"Index":8', '"Index":-8', /Index is not an integer/],
    ['"Index":8', '"Index":8.5', /Index is not an integer/],
    ['"Index":8', '"Index":"8"', /Index is not an integer/],
    ['"Index":8,', '', /Index is not an integer/],
    ['"Index":8', '"Index":9', /says that it is of term 2 and index 9/],
    ['"Term":2', '"Term":3', /says that it is of term 3 and index 8/],
    ['"Size":29', '"Size":null', /Size is not an integer/],
    ['"Version":1', '"Version":0', /version is 0/],
    ['"Version":1', '"Version":2', /version is 2/],
    ['"ID":"n1"', '"ID":7', /ID is not text/],
    ['"Suffrage":0', '"Suffrage":3', /Suffrage/],
    ['"CRC":"IVtNd1ToxOs="', '"CRC":null', /CRC is not text/],
    ['"CRC":"IVtNd1ToxOs="', '"CRC":"IVtNd1Tox"', /CRC is not 8 bytes/],
    ['"Configuration":{"Servers":[', '"Configuration":[{"Servers":[', /not JSON/],
    ['"Configuration":{', '"Configuratio":{', /something else/],
    ['"Servers":[', '"Servers":{},"S":[', /Servers is not a list/],
    ['"Servers":[', '"Servers":[7,', /something else/],
  ])('is damaged when %s reads %s', (before, after, words) => {
    const text = before === '' ? '' : REAL_FILE.replace(before, after)
    expect(thrownBy(() => decode(text))).toMatchObject(damage(words))
  })

  it('is damaged when it is of another snapshot', () => {
    expect(thrownBy(() => decode(REAL_FILE, '2-8-1'))).toMatchObject(
      damage(/it says that it is 2-8-1795350674353/),
    )
  })

  it('is damaged when it is not UTF-8', () => {
    const bytes = Buffer.from(REAL_FILE)
    bytes[bytes.indexOf('n1')] = 0xff
    expect(() => decodeMeta(bytes, REAL_META.id, '/x')).toThrow(/not JSON/)
  })
})
