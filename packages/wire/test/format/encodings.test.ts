// Single values, compared with what go-msgpack wrote.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { RaftError } from '@raftkit/interface'
import { DEFAULT_WIRE_LIMITS } from '../../src/reading/limits.ts'
import { Pack } from '../../src/format/pack.ts'
import { Unpack } from '../../src/reading/unpack.ts'
import { hex, unhex } from '../hex.ts'

const { primitive_encodings: lines } = JSON.parse(
  readFileSync(new URL('../vectors/hashicorp-raft.json', import.meta.url), 'utf8'),
) as { primitive_encodings: readonly string[] }

/** The lines under a heading, split at spaces. */
function section(heading: string): string[][] {
  const start = lines.indexOf(`# ${heading}`) + 1
  const end = lines.findIndex((line, i) => i >= start && (line === '' || line.startsWith('#')))
  return lines.slice(start, end).map((line) => line.split(' '))
}

/** Captured as the only field of a struct: a map of one key of `keySize` characters. */
function value(captured: string, keySize: number): string {
  return captured.replace('...', '').slice(2 * (2 + keySize))
}

function unpack(bytes: Uint8Array): Unpack {
  return new Unpack(bytes, { ...DEFAULT_WIRE_LIMITS, maxStringBytes: 100_000 })
}

describe('signed integers', () => {
  it.each(section('signed int64 (Size), non PositiveIntUnsigned'))('%s', (decimal, captured) => {
    const bytes = value(captured!, 4)
    expect(hex(new Pack().int(Number(decimal), 'it').take())).toBe(bytes)
    expect(unpack(unhex(bytes)).int('it')).toBe(Number(decimal))
  })

  it.each([-128, -129, -32_768, -32_769, -(2 ** 31), -(2 ** 31) - 1, Number.MIN_SAFE_INTEGER])(
    'round trip of %d',
    (number) => {
      expect(unpack(new Pack().int(number, 'it').take()).int('it')).toBe(number)
    },
  )
})

describe('unsigned integers', () => {
  const captured = section('uint64').filter(([decimal]) => Number.isSafeInteger(Number(decimal)))

  it.each(captured)('%s', (decimal, bytes) => {
    const number = Number(decimal)
    expect(hex(new Pack().uint(number, 'it').take())).toBe(value(bytes!, 1))
    expect(unpack(unhex(value(bytes!, 1))).uint('it')).toBe(number)
  })

  it('goes up to 2^53 - 1', () => {
    const bytes = new Pack().uint(Number.MAX_SAFE_INTEGER, 'it').take()
    expect(hex(bytes)).toBe('cf001fffffffffffff')
    expect(unpack(bytes).uint('it')).toBe(Number.MAX_SAFE_INTEGER)
  })

  it.each(['cf0020000000000000', 'cf0020000000000001', 'cfffffffffffffffff', 'd30020000000000000'])(
    'refuses %s, beyond 2^53 - 1, instead of rounding it',
    (bytes) => {
      expect(() => unpack(unhex(bytes)).uint('Term')).toThrow(/Term .* beyond 2\^53 - 1/)
    },
  )

  it.each(['d3ffe0000000000000', 'd38000000000000000'])('refuses %s, below -2^53', (bytes) => {
    expect(() => unpack(unhex(bytes)).int('Size')).toThrow(/beyond/)
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53])('does not write %d', (number) => {
    expect(() => new Pack().uint(number, 'term')).toThrow(RaftError)
    expect(() => new Pack().uint(number, 'term')).toThrow(/cannot encode term/)
  })
})

describe('byte strings', () => {
  it.each(section('bytes lengths'))('%s bytes', (decimal, captured) => {
    const bytes = new Pack().raw(new Uint8Array(Number(decimal))).take()
    expect(hex(bytes).startsWith(value(captured!, 1))).toBe(true)
    expect(hex(unpack(bytes).raw('it')!)).toBe('00'.repeat(Number(decimal)))
  })
})

describe('arrays', () => {
  it.each(section('array lengths'))('%s elements', (decimal, captured) => {
    const header = hex(new Pack().array(Number(decimal)).take())
    expect(value(captured!, 1).startsWith(header)).toBe(true)
    const zeros = unhex(header + '00'.repeat(Number(decimal)))
    expect(unpack(zeros).array('it')).toBe(Number(decimal))
  })
})

describe('texts', () => {
  it.each(section('string'))('%s characters', (length, captured) => {
    const text = new TextDecoder().decode(unpack(unhex(captured!)).raw('it') ?? new Uint8Array(0))
    expect(text).toHaveLength(Number(length))
    expect(hex(new Pack().text(text).take())).toBe(captured)
    expect(unpack(unhex(captured!)).text('it')).toBe(text)
  })

  it.each(['é', 'grüße', '\u{feff}n1', '日本', 'a😀', 'x'.repeat(40) + 'é', 'x'.repeat(70_000)])(
    'round trip of %.10s',
    (text) => {
      const bytes = new Pack().byte(0x05).text(text).take()
      expect(hex(bytes.subarray(-new TextEncoder().encode(text).length))).toBe(
        hex(new TextEncoder().encode(text)),
      )
      expect(unpack(bytes.subarray(1)).text('it')).toBe(text)
    },
  )

  it('is refused as an identity when it is not UTF-8, since a replacement character would be another one', () => {
    expect(() => unpack(unhex('a26eff')).text('ID')).toThrow(/ID is not valid UTF-8/)
    expect(unpack(unhex('a26eff')).prose('the error text')).toBe('n\u{fffd}')
  })
})

describe('Pack', () => {
  it('gives what was written since the last take, also when it had to grow', () => {
    const pack = new Pack(4).byte(1)
    const first = pack.take()
    const second = pack.raw(new Uint8Array(40).fill(7)).take()
    expect(hex(first)).toBe('01')
    expect(hex(second)).toBe(`da0028${'07'.repeat(40)}`)
    expect(pack.take()).toHaveLength(0)
  })
})
