import { describe, expect, it } from 'vitest'
import { RaftError } from '@raftkit/interface'
import { decodeEntry, encodeEntries, scanEntries } from '@raftkit/wire'
import { EntryLayout } from '../../src/format/entry-layout.ts'
import { concat, hex, unhex } from '../hex.ts'

const data = new Uint8Array(3)

function entry(index: number, term: number): Uint8Array {
  return encodeEntries(index, term, [{ type: 0, data }]).bytes
}

/** An entry that only the tolerant reader takes: keys in another order. */
function tolerant(index: string, term: string, type = '00'): Uint8Array {
  return unhex(`83${key('Type')}${type}${key('Term')}${term}${key('Index')}${index}`)
}

function key(name: string): string {
  return (0xa0 + name.length).toString(16) + hex(new TextEncoder().encode(name))
}

describe('scanEntries', () => {
  it('finds index, term, type and place of each', () => {
    const parts = [entry(7, 1), tolerant('08', '01', '05'), entry(9, 3), tolerant('0a', '03', '01')]
    const batch = scanEntries(concat(parts))
    expect(batch.firstIndex).toBe(7)
    expect(batch.terms).toEqual([1, 1, 3, 3])
    expect(batch.types).toEqual([0, 5, 0, 1])
    expect(parts.map((_, i) => batch.bytesAt(7 + i))).toEqual(parts)
  })

  it('gives a view of the bytes', () => {
    const bytes = entry(1, 1)
    expect(scanEntries(bytes).bytes.buffer).toBe(bytes.buffer)
  })

  const tooLong = `96 01 01 00 c0 c0 c0`
  it.each<readonly [string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['an entry cut off', entry(1, 1).subarray(0, -1)],
    ['bytes after the last entry', concat([entry(1, 1), unhex('00')])],
    ['nil', unhex('c0')],
    ['an entry that is a string', unhex('a161')],
    ['an index left out', concat([entry(1, 1), entry(3, 1)])],
    ['an index again', concat([entry(1, 1), entry(1, 1)])],
    ['index 0', tolerant('00', '01')],
    ['no index at all', unhex('80')],
    ['a term that goes down', concat([entry(1, 2), entry(2, 1)])],
    ['a term that goes down, in the tolerant form', concat([entry(1, 2), tolerant('02', '01')])],
    ['an index beyond 2^53 - 1', tolerant('cf0020000000000000', '01')],
    ['a term beyond 2^53 - 1', tolerant('01', 'cf0020000000000000')],
    ['a negative index', tolerant('ff', '01')],
    ['a negative term', tolerant('01', 'd0ff')],
    ['a fractional term', tolerant('01', 'cb3ff8000000000000')],
    ['the unknown type 6', tolerant('01', '01', '06')],
    ['the type 256, which is 0 in eight bits', tolerant('01', '01', 'cd0100')],
    ['a negative type', tolerant('01', '01', 'ff')],
    ['data that is a number', unhex(`82${key('Index')}01${key('Data')}05`)],
    ['data of numbers above 255', unhex(`82${key('Index')}01${key('Data')}91cd0100`)],
    ['extensions that are a map', unhex(`82${key('Index')}01${key('Extensions')}80`)],
    ['a time that is none', unhex(`82${key('Index')}01${key('AppendedAt')}a101`)],
    ['a key that is a number', unhex(`820101${key('Index')}01`)],
    ['data longer than the bytes', unhex(`82${key('Index')}01${key('Data')}db7fffffff61`)],
    ['an array longer than the bytes', unhex(`82${key('Index')}01${key('Data')}dd7fffffff01`)],
    ['a value that never ends', unhex(`82${key('Index')}01${key('Zzz')}9301`)],
    ['a map longer than the bytes', unhex('df7fffffff')],
    [
      'an array form with a field too many that is cut off',
      unhex(`${tooLong.replace('96', '97')}`),
    ],
  ])('refuses %s', (_, bytes) => {
    expect(() => scanEntries(bytes)).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED' }),
    )
  })

  it('refuses another number of entries than announced', () => {
    const two = concat([entry(1, 1), entry(2, 1)])
    expect(scanEntries(two, 2).count).toBe(2)
    for (const count of [0, 1, 3]) expect(() => scanEntries(two, count)).toThrow(/2 entries where/)
  })

  it('refuses numbers beyond 2^53 - 1 in the common layout too', () => {
    const largest = hex(encodeEntries(2 ** 53 - 1, 2 ** 53 - 1, [{ type: 0, data }]).bytes)
    const number = 'cf001fffffffffffff'
    expect(scanEntries(unhex(largest)).lastIndex).toBe(2 ** 53 - 1)
    for (const field of ['Index', 'Term'])
      expect(() =>
        scanEntries(unhex(largest.replace(key(field) + number, key(field) + 'cf0020000000000000'))),
      ).toThrow(/beyond 2\^53 - 1/)
  })

  it('refuses an unknown type in the common layout too', () => {
    expect(() => scanEntries(unhex(hex(entry(1, 1)).replace(/00$/, '06')))).toThrow(
      /entry 1 has the unknown type 6/,
    )
  })

  it.each([
    ['raftkit', hex(entryWith(300, 70_000))],
    ['Go in a zone of odd seconds', withTime('b0020000000edd257425075bcd15003d01')],
    ['Go with new times', withTime('a81d6f345465937d25')],
  ])(
    'reads what %s writes the same by words and by keys, whatever byte is changed',
    (_, source) => {
      const original = unhex(source)
      const differences: unknown[] = []
      for (let place = 1; place < original.length; place++)
        for (let value = 0; value < 256; value++) {
          const changed = original.slice()
          changed[place] = value
          // One more element in front of the six keys takes the same map away from the words.
          const other = concat([unhex(`87${key('Zzz')}c0`), changed.subarray(1)])
          const [byWords, byKeys] = [outcome(changed), outcome(other)]
          if (byWords !== byKeys) differences.push({ place, value, byWords, byKeys })
        }
      expect(differences).toEqual([])
    },
  )
})

/** A configuration entry with time, data and extensions. */
function entryWith(index: number, term: number): Uint8Array {
  const input = { type: 5, data: new Uint8Array(33).fill(1), extensions: unhex('0203') } as const
  return encodeEntries(index, term, [input], 1_700_000_000_123).bytes
}

function outcome(bytes: Uint8Array): string {
  try {
    const batch = scanEntries(bytes, 1)
    const { data: raw, extensions, ...numbers } = decodeEntry(batch, batch.firstIndex)
    return `${JSON.stringify(numbers)} ${hex(raw)} ${extensions === undefined ? 'nil' : hex(extensions)}`
  } catch (error) {
    if (RaftError.is(error, 'RAFT_DECODE_FAILED')) return 'refused'
    throw error
  }
}

describe('EntryLayout', () => {
  it('never matches an entry that is cut off, and never looks past its end', () => {
    const bytes = encodeEntries(2 ** 40, 2 ** 40, [{ type: 0, data, extensions: data }], 5).bytes
    for (let end = 0; end < bytes.length; end++) {
      expect(new EntryLayout(bytes.slice(0, end), end).match(0)).toBe(-1)
      expect(new EntryLayout(bytes, end).match(0)).toBe(-1)
    }
    expect(new EntryLayout(bytes, bytes.length).match(0)).toBe(bytes.length)
  })

  it.each([
    ['raftkit', hex(encodeEntries(1, 1, [{ type: 0, data }], 5).bytes)],
    ['Go in a zone of odd seconds', withTime('b0020000000edd257425075bcd15003d01')],
    ['Go with new times, zero', withTime('c0')],
    ['Go with new times, whole seconds', withTime('a465937d25')],
    ['Go with new times, nanoseconds', withTime('a81d6f345465937d25')],
    ['Go with new times, far away', withTime('ac0000000100000004a0ffef25')],
  ])('matches what %s writes', (_, entryHex) => {
    const bytes = unhex(entryHex)
    expect(new EntryLayout(bytes, bytes.length).match(0)).toBe(bytes.length)
    expect(scanEntries(bytes).count).toBe(1)
  })
})

/** The entry of `entryWith`, with another time. */
function withTime(time: string): string {
  const bytes = hex(entryWith(300, 70_000))
  return bytes.slice(0, 24) + time + bytes.slice(24 + 32)
}
