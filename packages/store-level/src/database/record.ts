import { crc32 } from 'node:zlib'

/**
 * Small records: a CRC-32 over the record's name and bytes, then the bytes. The name is in the checksum so that a
 * record found in the wrong place does not pass. Most hold a JSON object, readable with common tools.
 */
const CHECKSUM_BYTES = 4

const decoder = new TextDecoder('utf-8', { fatal: true })

/** A record or block whose bytes cannot be what was written. Its message completes "…: ". */
export class DamagedRecord extends Error {
  override readonly name: string = 'DamagedRecord'
}

/** The fields of a record. */
export type RecordFields = Readonly<Record<string, unknown>>

export function sealBytes(name: string, bytes: Uint8Array): Uint8Array {
  const sealed = Buffer.allocUnsafe(CHECKSUM_BYTES + bytes.length)
  sealed.set(bytes, CHECKSUM_BYTES)
  sealed.writeUInt32BE(checksumOf(name, bytes), 0)
  return sealed
}

/** The bytes given to {@link sealBytes}, a view; throws {@link DamagedRecord}. */
export function unsealBytes(name: string, sealed: Uint8Array): Uint8Array {
  const bytes = sealed.subarray(CHECKSUM_BYTES)
  if (sealed.length < CHECKSUM_BYTES || checksumIn(sealed) !== checksumOf(name, bytes))
    throw new DamagedRecord('its checksum does not match')
  return bytes
}

export function sealFields(name: string, fields: RecordFields): Uint8Array {
  return sealBytes(name, Buffer.from(JSON.stringify(fields)))
}

/** The fields given to {@link sealFields}; throws {@link DamagedRecord}. */
export function unsealFields(name: string, sealed: Uint8Array): RecordFields {
  const bytes = unsealBytes(name, sealed)
  try {
    const fields: unknown = JSON.parse(decoder.decode(bytes))
    if (isFields(fields)) return fields
  } catch (cause) {
    throw new DamagedRecord('it is not JSON', { cause })
  }
  throw new DamagedRecord('it is not a JSON object')
}

/** The checksum that a sealed record carries. */
export function checksumIn(sealed: Uint8Array): number {
  return new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength).getUint32(0)
}

/** A field that must be an integer from 0 to 2^53 - 1. */
export function numberIn(fields: RecordFields, name: string): number {
  const value = fields[name]
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  throw new DamagedRecord(`its field '${name}' is not a number`)
}

/** A field that must be text. */
export function textIn(fields: RecordFields, name: string): string {
  const value = fields[name]
  if (typeof value === 'string') return value
  throw new DamagedRecord(`its field '${name}' is not text`)
}

function checksumOf(name: string, bytes: Uint8Array): number {
  return crc32(bytes, crc32(name))
}

function isFields(value: unknown): value is RecordFields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
