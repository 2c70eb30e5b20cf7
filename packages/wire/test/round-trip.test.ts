// Arbitrary messages, written, cut to pieces and read back.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeErrorResponse, encodeRequest, encodeResponse } from '@raftkit/wire'
import { concat } from './hex.ts'
import {
  comparable,
  receiveRequests,
  receiveResponses,
  request,
  response,
  split,
} from './messages.ts'

const cuts = fc.array(fc.nat(), { maxLength: 30 })

describe('requests', () => {
  it('of any kind, several on one connection, arrive as they were sent, however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 5 }), cuts, (requests, places) => {
        const snapshots = requests.map((sent, i) =>
          Array.from({ length: sent.type === 'install-snapshot' ? sent.size : 0 }, () => i),
        )
        const bytes = concat(
          requests.flatMap((sent, i) => [...encodeRequest(sent), Uint8Array.from(snapshots[i]!)]),
        )
        const { received, error } = receiveRequests(split(bytes, places))
        expect(error).toBeUndefined()
        expect(received.map((one) => comparable(one.request))).toEqual(requests.map(comparable))
        expect(received.map((one) => one.snapshot)).toEqual(snapshots)
      }),
      { numRuns: 300 },
    )
  })

  it('arrive byte by byte', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const bytes = concat(encodeRequest(sent))
        const pieces = Array.from(bytes, (byte) => Uint8Array.of(byte))
        const { received, error } = receiveRequests(pieces)
        expect(error).toBeUndefined()
        expect(received.map((one) => comparable(one.request))).toEqual([comparable(sent)])
      }),
    )
  })

  it('are not there before their last byte is', () => {
    fc.assert(
      fc.property(request, fc.nat(), (sent, cut) => {
        const bytes = concat(encodeRequest(sent))
        const { received, error } = receiveRequests([bytes.slice(0, cut % bytes.length)])
        expect(error).toBeUndefined()
        expect(received).toEqual([])
      }),
    )
  })

  it('are sent on as they came', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const bytes = concat(encodeRequest(sent))
        const { received } = receiveRequests([bytes])
        expect(concat(encodeRequest(received[0]!.request))).toEqual(bytes)
      }),
    )
  })
})

describe('responses', () => {
  const answer = fc.oneof(
    response.map((sent) => ({
      type: sent.type,
      bytes: encodeResponse(sent),
      wanted: { response: sent },
    })),
    fc.string({ minLength: 1 }).map((text) => ({
      type: 'request-vote' as const,
      bytes: encodeErrorResponse(text),
      wanted: { error: text },
    })),
  )

  it('of any kind, several on one connection, arrive as they were sent, however the bytes are split', () => {
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 5 }), cuts, (answers, places) => {
        const bytes = concat(answers.map((sent) => sent.bytes))
        const { received, error } = receiveResponses(
          split(bytes, places),
          answers.map((sent) => sent.type),
        )
        expect(error).toBeUndefined()
        expect(received).toEqual(answers.map((sent) => sent.wanted))
      }),
      { numRuns: 300 },
    )
  })
})
