// What go-msgpack accepts and refuses, line by line; a line where raftkit is stricter says so.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RaftError } from '@raftkit/interface'
import type { RpcRequest } from '@raftkit/interface'
import {
  decodeConfiguration,
  decodeEntry,
  encodeEntries,
  encodeRequest,
  RequestDecoder,
  ResponseDecoder,
  scanEntries,
} from '@raftkit/wire'
import { hex, unhex } from './hex.ts'

const { decode_tolerance: lines } = JSON.parse(
  readFileSync(new URL('./vectors/hashicorp-raft.json', import.meta.url), 'utf8'),
) as { decode_tolerance: readonly string[] }

/** A key, or any text, as a fixstr. */
function str(text: string): string {
  return (0xa0 + text.length).toString(16) + ascii(text)
}

function ascii(text: string): string {
  return hex(new TextEncoder().encode(text))
}

function request(type: string, body: string): RpcRequest | undefined {
  const decoder = new RequestDecoder()
  decoder.push(unhex(type + body))
  return decoder.next()
}

/** A RequestVote request; the candidate is the header's address, since these have no Addr. */
function vote(body: string) {
  const decoded = request('01', body)
  if (decoded?.type !== 'request-vote') return decoded
  const { term, header, leadershipTransfer } = decoded
  return {
    term,
    candidate: header.address,
    transfer: leadershipTransfer,
    version: header.protocolVersion,
  }
}

const zero = { term: 0, candidate: '', transfer: false, version: 0 }
const term5 = { ...zero, term: 5 }
const abc = { ...zero, candidate: 'abc' }
const refused = Symbol('refused')

const votes: Readonly<Record<string, readonly [string, unknown]>> = {
  'empty map (fields keep prior values)': ['80', zero],
  nil: ['c0', zero],
  'unknown scalar field': [`82${str('Nope')}07${str('Term')}05`, term5],
  'unknown nested map+array+ext+bin+str8+float': [
    `87${str('a')}81${str('b')}82${str('c')}01${str('d')}80${str('e')}93 01 91c0 90${str('f')}d70101020304050607 08` +
      `${str('g')}c403010203${str('h')}d902 6869${str('i')}cb3ff0000000000000${str('Term')}05`,
    term5,
  ],
  'key as str8': [`81d904${ascii('Term')}05`, term5],
  'key as bin8': [`81c404${ascii('Term')}05`, term5],
  'key lowercase': [`81${str('term')}05`, zero],
  'dup key': [`82${str('Term')}05${str('Term')}06`, { ...zero, term: 6 }],
  'term uint8': [`81${str('Term')}cc05`, term5],
  'term uint64': [`81${str('Term')}cf0000000000000005`, term5],
  'term int8 +': [`81${str('Term')}d005`, term5],
  'term int64 +': [`81${str('Term')}d30000000000000005`, term5],
  'term int8 -': [`81${str('Term')}d0ff`, refused],
  'term float64 5': [`81${str('Term')}cb4014000000000000`, refused],
  'term nil': [`81${str('Term')}c0`, zero],
  'cand nil': [`81${str('Candidate')}c0`, zero],
  'cand bin8': [`81${str('Candidate')}c403${ascii('abc')}`, abc],
  'cand str8': [`81${str('Candidate')}d903${ascii('abc')}`, abc],
  'cand array of ints': [`81${str('Candidate')}93${ascii('abc')}`, abc],
  'bool as 1': [`81${str('LeadershipTransfer')}01`, { ...zero, transfer: true }],
  'bool as 2': [`81${str('LeadershipTransfer')}02`, refused],
  'map16 header': [`de0001${str('Term')}05`, term5],
  'map32 header': [`df00000001${str('Term')}05`, term5],
  'as array (toArray) 3 elems': ['93 05 a3616263 01', refused],
  // Announced but never sent: nothing to answer yet, and nothing allocated.
  'bytes len lie': [`81${str('Candidate')}da0100 61`, undefined],
  'array form RequestVoteRequest 9503c0c005a3616263': [
    '9503c0c005a3616263',
    { term: 5, candidate: 'abc', transfer: false, version: 3 },
  ],
}

/** An entry with the given value of AppendedAt, as a follower reads it. */
function appendedAt(time: string): number | undefined {
  const bytes = `83${str('AppendedAt')}${time}${str('Index')}01${str('Term')}01`
  return decodeEntry(scanEntries(unhex(bytes)), 1).appendedAt
}

const seconds = '65937d25'
const JAN_2 = Date.UTC(2024, 0, 2, 3, 4, 5)
const marshalled = '010000000edd257425075bcd15ffff'
const stamp8 = `1d6f3454${seconds}`
const stamp12 = `075bcd15 00000000${seconds}`

const times: Readonly<Record<string, readonly [string, number | undefined | symbol]>> = {
  'time nil': ['c0', undefined],
  'time fixext8': [`d7ff${stamp8}`, JAN_2 + 123],
  'time fixext4': [`d6ff${seconds}`, JAN_2],
  'time ext12': [`c70cff${stamp12}`, JAN_2 + 123],
  'time raw8': [`a8${stamp8}`, JAN_2 + 123],
  'time raw4': [`a4${seconds}`, JAN_2],
  'time raw15': [`af${marshalled}`, JAN_2 + 123],
  'time raw16 v2 (sec offset)': ['b0020000000edd257425075bcd15003d01', JAN_2 + 123],
  'time bin8 15': [`c40f${marshalled}`, refused],
  'time str8 15': [`d90f${marshalled}`, refused],
  'time bin8 8': [`c408${stamp8}`, JAN_2 + 123],
  'time garbage': ['a3010203', refused],
}

function entryOfType(type: string): unknown {
  return scanEntries(unhex(`83${str('Index')}01${str('Term')}01${str('Type')}${type}`)).types
}

function entries(value: string): unknown {
  const decoded = request('00', `81${str('Entries')}${value}`)
  return decoded?.type === 'append-entries' ? decoded.entries?.map((batch) => batch.count) : decoded
}

const entry = hex(encodeEntries(1, 1, [{ type: 0, data: new Uint8Array(0) }]).bytes)

function errorText(value: string): unknown {
  const decoder = new ResponseDecoder()
  decoder.push(unhex(`${value}c0`))
  const answer = decoder.next('timeout-now')
  return answer !== undefined && 'error' in answer ? answer.error : ''
}

function servers(server: string): unknown {
  return decodeConfiguration(unhex(`81${str('Servers')}91${server}`)).servers
}

const others: Readonly<Record<string, readonly [() => unknown, unknown]>> = {
  // Stricter: Go takes all 64 bits, JavaScript would round them.
  'U overflow int into uint64': [() => vote(`81${str('Term')}cfffffffffffffffff`), refused],
  'u8 overflow': [() => entryOfType('cd0100'), refused],
  // Stricter: Go takes it and crashes on it later.
  'AE entries contain nil ptr': [() => entries('91c0'), refused],
  'AE entries array32': [() => entries(`dd00000001${entry}`), [1]],
  'Nested RPCHeader key (embedded as map)': [
    () =>
      request('00', `82${str('RPCHeader')}81${str('ProtocolVersion')}03${str('Term')}05`)?.header,
    { protocolVersion: 0, id: '', address: '' },
  ],
  'array len lie': [() => entries('dd00010000 80'), undefined],
  'conf with unknown server field': [
    () => servers(`84${str('Address')}a161${str('ID')}a162${str('Other')}9101${str('Suffrage')}02`),
    [{ suffrage: 'staging', id: 'b', address: 'a' }],
  ],
  'conf suffrage as uint8': [
    () => servers(`83${str('Address')}a161${str('ID')}a162${str('Suffrage')}cc01`),
    [{ suffrage: 'nonvoter', id: 'b', address: 'a' }],
  ],
  'rpcError a0': [() => errorText('a0'), ''],
  'rpcError a4626f6f6d': [() => errorText('a4626f6f6d'), 'boom'],
  'rpcError d904626f6f6d': [() => errorText('d904626f6f6d'), 'boom'],
  'rpcError c404626f6f6d': [() => errorText('c404626f6f6d'), 'boom'],
  'rpcError c0': [() => errorText('c0'), ''],
  'rpcError 05': [() => errorText('05'), refused],
  'rpcError 93626f6f': [() => errorText('93626f6f'), 'boo'],
}

function outcome(decode: () => unknown): unknown {
  try {
    return decode()
  } catch (error) {
    if (RaftError.is(error, 'RAFT_DECODE_FAILED')) return refused
    throw error
  }
}

describe('decoder tolerance', () => {
  it.each(Object.entries(votes))('%s', (_, [body, wanted]) => {
    expect(outcome(() => vote(body))).toEqual(wanted)
  })

  it.each(Object.entries(times))('%s', (_, [time, wanted]) => {
    expect(outcome(() => appendedAt(time))).toEqual(wanted)
  })

  it.each(Object.entries(others))('%s', (_, [decode, wanted]) => {
    expect(outcome(decode)).toEqual(wanted)
  })

  it('covers every line of the table', () => {
    const names = lines.filter((line) => line !== '').map((line) => line.split(' -> ')[0])
    const covered = [votes, times, others].flatMap((table) => Object.keys(table))
    expect(new Set(covered)).toEqual(new Set(names))
  })
})

describe('array form', () => {
  const payload = encodeEntries(11, 5, [{ type: 0, data: unhex('68656c6c6f') }])

  it('of AppendEntries is read in declaration order, header first, further elements passed over', () => {
    const array = `9a 03 a26e31 a161 05 a17a 0a 04 91${hex(payload.bytes)} 09 81c001`
    const decoded = request('00', array)
    expect(decoded).toMatchObject({
      header: { protocolVersion: 3, id: 'n1', address: 'a' },
      term: 5,
      prevLogIndex: 10,
      prevLogTerm: 4,
      leaderCommit: 9,
    })
  })

  it('of an entry is Index, Term, Type, Data, Extensions, AppendedAt', () => {
    const bytes = unhex(`96 0b 05 00 a568656c6c6f c0 af${marshalled}`)
    expect(decodeEntry(scanEntries(bytes), 11)).toEqual({
      index: 11,
      term: 5,
      type: 0,
      data: unhex('68656c6c6f'),
      appendedAt: JAN_2 + 123,
    })
  })

  it('of a configuration and a server', () => {
    expect(decodeConfiguration(unhex('91 91 94 01 a162 a161 c3')).servers).toEqual([
      { suffrage: 'nonvoter', id: 'b', address: 'a' },
    ])
  })

  it('never holds raftkit extensions, which have no place in an order', () => {
    const decoder = new ResponseDecoder()
    decoder.push(unhex('a0 99 03 c0 c0 05 09 c2 c3 07 08'))
    expect(decoder.next('append-entries')).toEqual({
      response: {
        type: 'append-entries',
        header: { protocolVersion: 3, id: '', address: '' },
        term: 5,
        lastLogIndex: 9,
        success: false,
        noRetryBackoff: true,
      },
    })
  })
})

it('reads a header without Addr from Leader, as old senders wrote it', () => {
  const [bytes] = encodeRequest({
    type: 'append-entries',
    header: { protocolVersion: 3, id: '', address: 'a:1' },
    term: 1,
    prevLogIndex: 0,
    prevLogTerm: 0,
    leaderCommit: 0,
    entries: null,
  })
  const old = hex(bytes!).replace(`${str('Addr')}a3613a31`, `${str('Addr')}c0`)
  expect(request('', old)?.header.address).toBe('a:1')
})
