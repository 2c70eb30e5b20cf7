import { RaftError } from '@raftkit/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeForward,
  decodeResults,
  encodeForward,
  encodeResults,
  type ForwardedRequest,
} from '../../src/forwarding/forward-message.ts'
import { messagePackCodec } from '../../src/message-pack.ts'

describe('forward messages', () => {
  it('bring back any requests', () => {
    const request = fc.record<ForwardedRequest>({
      kind: fc.constantFrom('command', 'query', 'read-index'),
      body: fc.uint8Array(),
      remainingMs: fc.integer({ min: 1, max: 100_000 }),
    })
    fc.assert(
      fc.property(fc.array(request), (requests) => {
        const decoded = decodeForward(encodeForward(requests))
        expect(decoded.map((r) => ({ ...r, body: [...r.body] }))).toEqual(
          requests.map((r) => ({ ...r, body: [...r.body] })),
        )
      }),
    )
  })

  it('bring back results and errors with everything a caller acts on', () => {
    const error = new RaftError('RAFT_OVERLOADED', 'too much', {
      retryable: true,
      outcome: 'not-committed',
      details: { limit: 5, leader: { id: 'a', address: 'h:1' }, odd: () => 1 },
    })
    const results = decodeResults(
      encodeResults([
        { ok: true, body: new Uint8Array([1, 2]) },
        { ok: false, error },
        { ok: false, error: new RaftError('RAFT_READ_FAILED', 'no') },
      ]),
    )
    expect(results[0]).toEqual({ ok: true, body: new Uint8Array([1, 2]) })
    expect(results[1]).toMatchObject({
      ok: false,
      error: {
        code: 'RAFT_OVERLOADED',
        message: 'too much',
        retryable: true,
        outcome: 'not-committed',
        details: { limit: 5, leader: { id: 'a', address: 'h:1' } },
      },
    })
    expect(results[2]).toMatchObject({
      error: { code: 'RAFT_READ_FAILED', retryable: false, outcome: undefined },
    })
  })

  it.each([
    ['nothing', new Uint8Array(0)],
    ['no list', messagePackCodec.encode({ a: 1 })],
    ['another version', messagePackCodec.encode([2, []])],
    ['no items', messagePackCodec.encode([1])],
    ['an item that is no list', messagePackCodec.encode([1, [5]])],
    ['an unknown kind', messagePackCodec.encode([1, [[9, new Uint8Array(1), 5]]])],
    ['a body that is no bytes', messagePackCodec.encode([1, [[0, 'text', 5]]])],
    ['a time that is no number', messagePackCodec.encode([1, [[0, new Uint8Array(1), 'x']]])],
    ['a time that is not positive', messagePackCodec.encode([1, [[0, new Uint8Array(1), -1]]])],
  ])('refuse a request that is %s', (_name, bytes) => {
    expect(() => decodeForward(bytes)).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
    )
  })

  it.each([
    ['an unknown mark', [[7, new Uint8Array(1)]]],
    ['a body that is no bytes', [[0, 'text']]],
    ['an error that is no list', [[1, 'text']]],
    ['an error without a code', [[1, [5, 'message', true, null, {}]]]],
    ['an error with a strange code', [[1, ['constructor', 'message', true, null, {}]]]],
  ])('refuse a result that is %s', (_name, items) => {
    expect(() => decodeResults(messagePackCodec.encode([1, items]))).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
    )
  })

  it('refuse any other bytes with a typed error', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(() => decodeForward(bytes)).toThrow(
          expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
        )
      }),
    )
  })
})
