import { describe, expect, it } from 'vitest'
import { DEFAULT_WIRE_LIMITS } from '../../src/reading/limits.ts'
import { Unpack } from '../../src/reading/unpack.ts'
import { unhex } from '../hex.ts'

function unpack(bytes: string): Unpack {
  return new Unpack(unhex(bytes), DEFAULT_WIRE_LIMITS)
}

/** Every way to read a value. */
const readers: Readonly<Record<string, (from: Unpack) => unknown>> = {
  nil: (from) => from.nil(),
  struct: (from) => from.struct('it'),
  array: (from) => from.array('it'),
  key: (from) => from.key(),
  uint: (from) => from.uint('it'),
  int: (from) => from.int('it'),
  bool: (from) => from.bool('it'),
  raw: (from) => from.raw('it'),
  text: (from) => from.text('it'),
  prose: (from) => from.prose('it'),
  time: (from) => from.time('it'),
  skip: (from) => from.skip(),
}

describe('Unpack', () => {
  it.each(Object.entries(readers))('%s refuses to read where the bytes have ended', (_, read) => {
    const from = unpack('')
    expect(from.ended).toBe(true)
    expect(() => read(from)).toThrow(/end in the middle of a value/)
  })

  it.each([
    ['skip', '9301'],
    ['skip', 'a261'],
    ['struct', 'de00'],
    ['struct', '81'],
    ['array', 'dd000000'],
    ['array', '92c0'],
    ['key', 'a261'],
    ['key', 'd9'],
    ['uint', 'cd00'],
    ['uint', 'cf00000000000000'],
    ['int', 'd0'],
    ['raw', 'c50001'],
    ['raw', '9205'],
    ['raw', 'db'],
    ['time', 'd7ff00000000'],
    ['time', 'd6'],
    ['time', 'c7'],
    ['time', 'c70cff'],
    ['time', 'af01'],
  ])('%s refuses %s, which is cut off', (name, bytes) => {
    expect(() => readers[name]!(unpack(bytes))).toThrow(/end in the middle of a value/)
  })

  it('names the field and the place of what it did not expect', () => {
    const from = unpack('c0cb3ff0000000000000')
    from.nil()
    expect(() => from.uint('Term')).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('Term starts with byte 0xcb') as unknown,
        details: { at: 1 },
      }),
    )
  })

  it('takes a key only when it is the one asked for', () => {
    const from = unpack('a454657261')
    expect(from.takeKey(unhex('a45465726d'))).toBe(false)
    expect(from.takeKey(unhex('a45465726161'))).toBe(false)
    expect(from.at).toBe(0)
    expect(from.takeKey(unhex('a454657261'))).toBe(true)
    expect(from.ended).toBe(true)
  })
})
