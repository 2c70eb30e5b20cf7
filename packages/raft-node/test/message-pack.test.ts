import { RaftError } from '@raftkit/interface'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_VALUE_DEPTH, messagePackCodec } from '../src/message-pack.ts'

const { encode, decode } = messagePackCodec
const roundTrip = (value: unknown): unknown => decode(Uint8Array.from(encode(value)))

describe('messagePackCodec', () => {
  it.each([
    ['undefined', undefined],
    ['null', null],
    ['an object with an undefined field', { a: undefined, b: 1 }],
    ['an array with undefined', [undefined, null]],
    ['a bigint', 10n],
    ['a bigint above 64 bits', 2n ** 70n],
    ['a negative bigint', -(2n ** 65n)],
    ['the largest index', Number.MAX_SAFE_INTEGER],
    ['NaN', Number.NaN],
    ['infinity', -Infinity],
    ['a date', new Date(1_700_000_000_123)],
    ['a set', new Set([1, 'a'])],
    [
      'a map',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 'b'],
        [{ k: 1 }, null],
      ]),
    ],
    ['an empty map', new Map()],
    ['a map in a map in a set', new Set([new Map([['x', new Map([[1, [new Map()]]])]])])],
    ['a map beside objects', { users: new Map([['ann', { age: 3 }]]), list: [{ a: 1 }] }],
    ['typed arrays', [new Float64Array([1.5]), new Uint8Array([1, 2]), new Int16Array([-3])]],
  ])('brings back %s', (_name, value) => {
    expect(roundTrip(value)).toStrictEqual(value)
  })

  it('brings back any plain value', () => {
    const plain = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withTypedArray: true,
      maxDepth: 4,
    })
    fc.assert(
      fc.property(plain, (value) => {
        fc.pre(!isSpecial(value))
        expect(roundTrip(value)).toEqual(value)
      }),
    )
  })

  it.each([
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol'],
    ['a class instance', new (class Point {})(), 'Point'],
    ['an error', new Error('x'), 'Error'],
    ['a promise', Promise.resolve(1), 'Promise'],
    ['a nested function', { a: [new Map([['f', () => 1]])] }, 'function'],
    ['the key __proto__', JSON.parse('{"__proto__": {"admin": true}}') as unknown, '__proto__'],
    ['its own marker', { '$raftkit.map': [] }, '$raftkit.map'],
    ['an invalid date', new Date(Number.NaN), 'date'],
  ])('refuses %s', (_name, value, named) => {
    expect(() => encode(value)).toThrow(
      expect.objectContaining({
        code: 'RAFT_INVALID_ARGUMENT',
        outcome: 'not-committed',
        message: expect.stringContaining(named) as string,
      }),
    )
  })

  it('refuses a cycle and what is nested too deep', () => {
    const cycle: unknown[] = []
    cycle.push(cycle)
    expect(() => encode(cycle)).toThrow(RaftError)
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)])
    expect(roundTrip(nest(MAX_VALUE_DEPTH))).toEqual(nest(MAX_VALUE_DEPTH))
    expect(() => encode(nest(MAX_VALUE_DEPTH + 1))).toThrow('nested')
  })

  it('does not change what it encodes', () => {
    const value = { m: new Map([['a', new Map()]]), list: [new Map()], set: new Set([new Map()]) }
    encode(value)
    expect(value.m.get('a')).toBeInstanceOf(Map)
    expect(value.list[0]).toBeInstanceOf(Map)
    expect([...value.set][0]).toBeInstanceOf(Map)
  })

  it('decodes into memory of its own', () => {
    const bytes = Uint8Array.from(
      encode({ blob: Buffer.from([1, 2, 3]), typed: new Uint8Array([4]) }),
    )
    const value = decode(bytes) as { blob: Uint8Array; typed: Uint8Array }
    bytes.fill(0)
    expect([...value.blob, ...value.typed]).toEqual([1, 2, 3, 4])
  })

  it('throws for bytes that are no value', () => {
    expect(() => decode(new Uint8Array([0x92, 1]))).toThrow('Not a MessagePack value')
    expect(() => decode(new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]))).toThrow(
      'Not a MessagePack value',
    )
    expect(() => decode(new Uint8Array(0))).toThrow('Not a MessagePack value')
    expect(() => decode(new Uint8Array([1, 2, 3]))).toThrow('Not a MessagePack value')
  })
})

/** Holds a key that is refused, or -0, which comes back as 0. */
function isSpecial(value: unknown): boolean {
  if (Object.is(value, -0)) return true
  if (typeof value !== 'object' || value === null) return false
  // It is refused, see below.
  if (value instanceof Date) return Number.isNaN(value.getTime())
  if (value instanceof Map) return [...value].some((pair) => pair.some(isSpecial))
  if (value instanceof Set) return [...value].some(isSpecial)
  if (ArrayBuffer.isView(value)) return false
  return Object.entries(value).some(
    ([key, child]) => key === '__proto__' || key === '$raftkit.map' || isSpecial(child),
  )
}
