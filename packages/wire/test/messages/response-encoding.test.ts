import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeErrorResponse, encodeResponse } from '@raftkit/wire'
import { hex } from '../hex.ts'
import { header, receiveResponses, response } from '../messages.ts'
import { keysOf } from '../message-keys.ts'

describe('encodeResponse', () => {
  it('writes keys in bytewise order, raftkit extensions only where they are', () => {
    fc.assert(
      fc.property(response, (sent) => {
        const bytes = encodeResponse(sent)
        expect(bytes[0]).toBe(0xa0)
        const keys = keysOf(bytes.subarray(1))
        expect(keys).toEqual(keys.toSorted((a, b) => (a < b ? -1 : 1)))
        expect(keys.includes('Raftkit')).toBe(sent.header.extensionLevel !== undefined)
        expect(keys.includes('RaftkitDisk')).toBe(sent.header.diskId !== undefined)
        expect(keys.includes('ConflictTerm')).toBe('conflict' in sent)
        expect(keys.includes('ConflictIndex')).toBe('conflict' in sent)
      }),
    )
  })

  it('writes a conflict as bytes that Go passes over', () => {
    const bytes = encodeResponse({
      type: 'append-entries',
      header: { ...header, extensionLevel: 1 },
      term: 5,
      lastLogIndex: 11,
      success: false,
      noRetryBackoff: true,
      conflict: { term: 3, firstIndex: 300 },
    })
    const names = ['Addr', 'ConflictIndex', 'ConflictTerm', 'ID', 'LastLog', 'NoRetryBackoff']
    expect(keysOf(bytes.subarray(1))).toEqual([
      ...names,
      'ProtocolVersion',
      'Raftkit',
      'Success',
      'Term',
    ])
    expect(hex(bytes)).toContain(`${ascii('ConflictIndex')}cd012cac${ascii('ConflictTerm')}03`)
  })

  it('refuses a number that is no safe integer', () => {
    expect(() => encodeResponse({ type: 'request-vote', header, term: -1, granted: true })).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_ARGUMENT' }),
    )
  })
})

describe('encodeErrorResponse', () => {
  it('is never taken for success', () => {
    const { received } = receiveResponses([encodeErrorResponse('')], ['timeout-now'])
    expect(received).toEqual([{ error: 'unknown error' }])
  })

  it('cuts a text that the other end would refuse', () => {
    const { received } = receiveResponses([encodeErrorResponse('日'.repeat(50_000))], ['forward'])
    expect(received).toEqual([{ error: '日'.repeat(5461) }])
  })
})

function ascii(text: string): string {
  return hex(new TextEncoder().encode(text))
}
