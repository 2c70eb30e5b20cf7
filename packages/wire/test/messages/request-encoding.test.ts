import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AppendEntriesRequest, RpcRequest } from '@raftkit/interface'
import { encodeEntries, encodeRequest } from '@raftkit/wire'
import { concat, hex } from '../hex.ts'
import { keysOf } from '../message-keys.ts'
import { header, request } from '../messages.ts'

const data = new Uint8Array(3)

function appendEntries(fields: Partial<AppendEntriesRequest>): AppendEntriesRequest {
  return {
    type: 'append-entries',
    header,
    term: 5,
    prevLogIndex: 10,
    prevLogTerm: 4,
    leaderCommit: 9,
    entries: null,
    ...fields,
  }
}

describe('encodeRequest', () => {
  it('sends entries from where they are, between two small chunks', () => {
    const batch = encodeEntries(
      11,
      5,
      Array.from({ length: 20 }, () => ({ type: 0 as const, data })),
    )
    const slices = [batch.slice(11, 13), batch.slice(14, 30)] as const
    const chunks = encodeRequest(appendEntries({ entries: slices }))
    expect(chunks).toHaveLength(4)
    expect(chunks[1]!.buffer).toBe(batch.bytes.buffer)
    expect(chunks[2]!.buffer).toBe(batch.bytes.buffer)
    expect(hex(concat(chunks.slice(1, 3)))).toBe(hex(batch.view))
  })

  it('sends a forwarded payload from where it is', () => {
    const payload = new Uint8Array(100)
    expect(encodeRequest({ type: 'forward', header, payload })[1]).toBe(payload)
  })

  it('writes keys in bytewise order, the number of them as announced', () => {
    fc.assert(
      fc.property(request, (sent) => {
        const keys = keysOf(concat(encodeRequest(sent)).subarray(1))
        expect(keys).toEqual(keys.toSorted(bytewise))
        expect(new Set(keys).size).toBe(keys.length)
        expect(keys.includes('Raftkit')).toBe(sent.header.extensionLevel !== undefined)
        expect(keys.includes('RaftkitDisk')).toBe(sent.header.diskId !== undefined)
      }),
    )
  })

  it('names the term of a TimeoutNow only when it is given one: hashicorp/raft has no such key', () => {
    const keys = (sent: RpcRequest): string[] => keysOf(concat(encodeRequest(sent)).subarray(1))
    expect(keys({ type: 'timeout-now', header })).not.toContain('Term')
    expect(keys({ type: 'timeout-now', header, term: 7 })).toContain('Term')
  })

  it('counts entries over all batches in the header of the list', () => {
    const inputs = Array.from({ length: 9 }, () => ({ type: 0 as const, data }))
    const entries = [encodeEntries(11, 5, inputs), encodeEntries(20, 6, inputs)]
    expect(hex(encodeRequest(appendEntries({ entries }))[0]!)).toMatch(/dc0012$/)
  })

  it.each<readonly [string, AppendEntriesRequest]>([
    [
      'entries that do not follow the previous one',
      appendEntries({ entries: [encodeEntries(12, 5, [{ type: 0, data }])] }),
    ],
    [
      'batches that leave a gap',
      appendEntries({
        entries: [11, 13].map((index) => encodeEntries(index, 5, [{ type: 0, data }])),
      }),
    ],
    ['a term that is no safe integer', appendEntries({ term: 2 ** 53 })],
    ['a negative index', appendEntries({ prevLogIndex: -1 })],
    ['a fractional commit index', appendEntries({ leaderCommit: 0.5 })],
  ])('refuses %s', (_, sent) => {
    expect(() => encodeRequest(sent)).toThrow(
      expect.objectContaining({ code: 'RAFT_INVALID_ARGUMENT' }),
    )
  })
})

function bytewise(a: string, b: string): number {
  return a < b ? -1 : 1
}
