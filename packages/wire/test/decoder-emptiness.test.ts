import { encodeErrorResponse, encodeRequest, RequestDecoder, ResponseDecoder } from '@raftkit/wire'
import { expect, it } from 'vitest'

const header = { protocolVersion: 3, id: 'n1', address: '127.0.0.1:7001' }

it('RequestDecoder is empty before the first and after the last byte of a request, not in between', () => {
  const bytes = Uint8Array.from(
    encodeRequest({ type: 'timeout-now', header }).flatMap((c) => [...c]),
  )
  const decoder = new RequestDecoder()
  expect(decoder.isEmpty).toBe(true)
  bytes.forEach((_, at) => {
    decoder.push(bytes.slice(at, at + 1))
    const request = decoder.next()
    expect(decoder.isEmpty).toBe(request !== undefined)
  })
  expect(decoder.isEmpty).toBe(true)
})

it('ResponseDecoder is empty before the first and after the last byte of an answer, not in between', () => {
  const bytes = encodeErrorResponse('boom')
  const decoder = new ResponseDecoder()
  expect(decoder.isEmpty).toBe(true)
  bytes.forEach((_, at) => {
    decoder.push(bytes.slice(at, at + 1))
    const answer = decoder.next('timeout-now')
    expect(decoder.isEmpty).toBe(answer !== undefined)
  })
  expect(decoder.isEmpty).toBe(true)
})
