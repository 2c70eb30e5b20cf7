import { describe, expect, it } from 'vitest'
import { encodeResponse, ResponseDecoder } from '@raftkit/wire'
import { hex, unhex } from '../hex.ts'
import { header, receiveResponses } from '../messages.ts'

const granted = { type: 'request-vote', header, term: 5, granted: true } as const

describe('ResponseDecoder', () => {
  it('gives the error, whatever body comes with it, and goes on', () => {
    const body = hex(encodeResponse(granted)).slice(2)
    const bytes = unhex(`a3626164${body} a3626164c0 a0${body}`)
    const types = ['request-vote', 'request-vote', 'request-vote'] as const
    expect(receiveResponses([bytes], types).received).toEqual([
      { error: 'bad' },
      { error: 'bad' },
      { response: granted },
    ])
  })

  it('takes an answer without error and body as one in which everything is zero', () => {
    const none = { protocolVersion: 0, id: '', address: '' }
    expect(receiveResponses([unhex('a0c0c0c0')], ['request-vote', 'timeout-now']).received).toEqual(
      [
        { response: { type: 'request-vote', header: none, term: 0, granted: false } },
        { response: { type: 'timeout-now', header: none } },
      ],
    )
  })

  it('reads half a conflict as none', () => {
    const bytes = unhex(`a081ac${hex(new TextEncoder().encode('ConflictTerm'))}05`)
    expect(receiveResponses([bytes], ['append-entries']).received[0]).not.toHaveProperty(
      'response.conflict',
    )
  })

  it.each<readonly [string, string]>([
    ['an error text that is a number', '05c0'],
    ['an error text that is a map', '80c0'],
    ['a body that is a string', 'a0a161'],
    ['a byte that starts no value', 'c1'],
  ])('refuses %s', (_, bytes) => {
    expect(receiveResponses([unhex(bytes)], ['request-vote']).error).toMatchObject({
      code: 'RAFT_DECODE_FAILED',
    })
  })

  it('is dead after an error', () => {
    const decoder = new ResponseDecoder()
    decoder.push(unhex('c1'))
    expect(() => decoder.next('request-vote')).toThrow(/0xc1/)
    expect(() => decoder.push(encodeResponse(granted))).toThrow(/0xc1/)
    expect(() => decoder.next('request-vote')).toThrow(/0xc1/)
  })

  it('holds answers to their limits', () => {
    const bytes = encodeResponse(granted)
    const receive = (limits: object) => receiveResponses([bytes], ['request-vote'], limits).error
    expect(receive({ maxControlBytes: bytes.length - 1 })).toBeUndefined()
    expect(receive({ maxControlBytes: bytes.length - 2 })).toMatchObject({
      code: 'RAFT_LIMIT_EXCEEDED',
    })
    const text = unhex('a4626f6f6dc0')
    expect(receiveResponses([text], ['forward'], { maxStringBytes: 3 }).error).toMatchObject({
      details: { limit: 'maxStringBytes' },
    })
  })

  it('lets a forwarded answer be as large as a message', () => {
    const payload = new Uint8Array(2 ** 20)
    const bytes = encodeResponse({ type: 'forward', header, payload })
    const { received } = receiveResponses([bytes], ['forward'])
    expect(received[0]).toMatchObject({ response: { type: 'forward' } })
    expect(receiveResponses([bytes], ['request-vote']).error).toMatchObject({
      details: { limit: 'maxControlBytes' },
    })
  })
})
