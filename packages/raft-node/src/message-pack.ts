import { RaftError, messageOf } from '@raftkit/interface'
import { Packr } from 'msgpackr'

/** How commands, queries, responses and snapshots become bytes and values again. */
export interface Codec {
  /** Throws a `RaftError` `RAFT_INVALID_ARGUMENT` for a value that would not come back as it is. */
  readonly encode: (value: unknown) => Uint8Array
  /** Throws for bytes that `encode` did not make, when that can be told. The result shares no memory with `bytes`. */
  readonly decode: (bytes: Uint8Array) => unknown
}

/** Levels of arrays, objects, Maps and Sets inside each other that {@link messagePackCodec} takes. */
export const MAX_VALUE_DEPTH = 128

// MessagePack has one kind of map, which decodes as an object here; a Map travels as an object with this one key.
const mapKey = '$raftkit.map'
const mapKeyBytes = Buffer.from(mapKey)

const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  moreTypes: true,
  copyBuffers: true,
  int64AsType: 'bigint',
  structuredClone: false,
})

/**
 * MessagePack for plain values: null, undefined, booleans, numbers, bigints, strings, Date, typed arrays, arrays,
 * plain objects, Map and Set, in each other at most {@link MAX_VALUE_DEPTH} deep; -0 comes back as 0. Anything else
 * (functions, class instances, cycles) is refused when it is encoded, rather than coming back as something else.
 */
export const messagePackCodec: Codec = {
  encode(value) {
    const plain = toPlain(value, 0)
    try {
      return packr.pack(plain)
    } catch (error) {
      throw unencodable(messageOf(error), error)
    }
  },
  decode(bytes) {
    let value: unknown
    try {
      value = packr.unpack(bytes)
    } catch (error) {
      throw new RaftError('RAFT_DECODE_FAILED', `Not a MessagePack value: ${messageOf(error)}`, {
        cause: error,
      })
    }
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).includes(mapKeyBytes)
      ? fromPlain(value)
      : value
  },
}

/** The value without Maps; the same object when it holds none. */
function toPlain(value: unknown, depth: number): unknown {
  switch (typeof value) {
    case 'function':
    case 'symbol':
      throw unencodable(`a ${typeof value} has no encoding`)
    case 'object':
      return value === null ? value : objectToPlain(value, depth)
    case 'bigint':
    case 'boolean':
    case 'number':
    case 'string':
    case 'undefined':
      return value
  }
}

function objectToPlain(value: object, depth: number): unknown {
  if (depth >= MAX_VALUE_DEPTH)
    throw unencodable(`values are nested more than ${MAX_VALUE_DEPTH} deep, or in a cycle`)
  if (Array.isArray(value)) return arrayToPlain(value, depth)
  if (value instanceof Map) return mapToPlain(value, depth)
  if (value instanceof Set) return setToPlain(value, depth)
  if (value instanceof Date && Number.isNaN(value.getTime()))
    throw unencodable('an invalid date has no encoding')
  if (value instanceof Date || value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return value
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== null && prototype !== Object.prototype)
    throw unencodable(`an instance of ${value.constructor.name} is not a plain value`)
  return recordToPlain(value, depth)
}

function arrayToPlain(values: readonly unknown[], depth: number): unknown {
  let changed: unknown[] | undefined
  for (let i = 0; i < values.length; i += 1) {
    const plain = toPlain(values[i], depth + 1)
    if (!Object.is(plain, values[i])) (changed ??= [...values])[i] = plain
  }
  return changed ?? values
}

function mapToPlain(map: ReadonlyMap<unknown, unknown>, depth: number): unknown {
  const flat: unknown[] = []
  for (const [key, value] of map) flat.push(toPlain(key, depth + 1), toPlain(value, depth + 1))
  return { [mapKey]: flat }
}

function setToPlain(set: ReadonlySet<unknown>, depth: number): unknown {
  const values = [...set]
  const plain = arrayToPlain(values, depth)
  return plain === values ? set : new Set(plain as unknown[])
}

function recordToPlain(record: object, depth: number): unknown {
  let changed: Record<string, unknown> | undefined
  for (const [key, value] of Object.entries(record)) {
    if (key === '__proto__' || key === mapKey) throw unencodable(`the key "${key}" is reserved`)
    const plain = toPlain(value, depth + 1)
    if (!Object.is(plain, value)) (changed ??= { ...record })[key] = plain
  }
  return changed ?? record
}

/** Puts the Maps back. `value` was just decoded, so it is changed in place. */
function fromPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i += 1) value[i] = fromPlain(value[i])
    return value
  }
  if (value instanceof Set) return new Set([...value].map(fromPlain))
  if (Object.getPrototypeOf(value) !== Object.prototype) return value
  const record = value as Record<string, unknown>
  const flat = record[mapKey]
  if (Array.isArray(flat)) return mapOf(flat)
  for (const key of Object.keys(record)) record[key] = fromPlain(record[key])
  return record
}

function mapOf(flat: readonly unknown[]): Map<unknown, unknown> {
  const map = new Map<unknown, unknown>()
  for (let i = 0; i < flat.length; i += 2) map.set(fromPlain(flat[i]), fromPlain(flat[i + 1]))
  return map
}

function unencodable(reason: string, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_INVALID_ARGUMENT',
    `The value cannot be encoded: ${reason}. Use plain objects, arrays, Map, Set, Date, typed arrays, strings, ` +
      'numbers, bigints and booleans.',
    { outcome: 'not-committed', cause },
  )
}
