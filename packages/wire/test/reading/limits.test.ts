import { describe, expect, it } from 'vitest'
import { DEFAULT_WIRE_LIMITS, RequestDecoder, ResponseDecoder } from '@raftkit/wire'

describe('WireLimits', () => {
  it('cannot be changed for everybody', () => {
    expect(Object.isFrozen(DEFAULT_WIRE_LIMITS)).toBe(true)
  })

  it.each([
    ...Object.keys(DEFAULT_WIRE_LIMITS).map((name) => ({ [name]: 0 })),
    { maxMessageBytes: 1.5 },
    { maxServers: Number.POSITIVE_INFINITY },
    { maxStringBytes: Number.NaN },
    { maxDepth: 2 },
    { maxMessageBytes: 100, maxBufferedBytes: 99 },
  ])('must make sense: %o does not', (limits) => {
    for (const Decoder of [RequestDecoder, ResponseDecoder])
      expect(() => new Decoder(limits)).toThrow(
        expect.objectContaining({ code: 'RAFT_INVALID_ARGUMENT' }),
      )
  })
})
