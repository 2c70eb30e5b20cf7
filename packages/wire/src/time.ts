// Go's time.Time as its MarshalBinary and go-msgpack write it.
import { TWO_POW_32, putInt64, putUint32 } from './encodings.ts'
import { notEncodable } from './pack.ts'

/** Seconds from 0001-01-01T00:00:00Z, where Go counts from, to the Unix epoch. */
const UNIX_EPOCH = 62_135_596_800

/** What JavaScript's Date can hold, milliseconds from the Unix epoch. */
const MAX_MS = 8.64e15

/** Encoded bytes of a time as raftkit writes it: a fixstr of 15 bytes. */
export const TIME_SIZE = 16

/** Milliseconds since the Unix epoch, in UTC; undefined is Go's zero time. Fractions of a millisecond are cut off. */
export function putTime(bytes: Uint8Array, at: number, ms: number | undefined): number {
  if (ms !== undefined && !(Math.abs(ms) <= MAX_MS)) throw notEncodable('the time', ms)
  const seconds = ms === undefined ? 0 : Math.floor(ms / 1000) + UNIX_EPOCH
  const millis = ms === undefined ? 0 : Math.floor(ms) - Math.floor(ms / 1000) * 1000
  bytes[at] = 0xa0 + TIME_SIZE - 1
  bytes[at + 1] = 1
  putInt64(bytes, at + 2, seconds)
  putUint32(bytes, at + 10, millis * 1_000_000)
  bytes[at + 14] = 0xff
  bytes[at + 15] = 0xff
  return at + TIME_SIZE
}

/**
 * The time in a fixstr: MarshalBinary (15 bytes, 16 with a zone of odd seconds) or one of the new formats.
 * 'invalid' for any other bytes. Go's zero time, and one that JavaScript cannot hold, is undefined.
 */
export function timeOfFixstr(payload: DataView): number | undefined | 'invalid' {
  const size = payload.byteLength
  if ((size === 15 && payload.getUint8(0) === 1) || (size === 16 && payload.getUint8(0) === 2))
    return milliseconds(
      payload.getInt32(1) * TWO_POW_32 + payload.getUint32(5) - UNIX_EPOCH,
      payload.getInt32(9),
    )
  return timeOfTimestamp(payload)
}

/** The time in MessagePack's timestamp format: 4, 8 or 12 bytes. */
export function timeOfTimestamp(payload: DataView): number | undefined | 'invalid' {
  switch (payload.byteLength) {
    case 4:
      return milliseconds(payload.getUint32(0), 0)
    case 8: {
      const high = payload.getUint32(0)
      return milliseconds((high & 3) * TWO_POW_32 + payload.getUint32(4), high >>> 2)
    }
    case 12:
      return milliseconds(
        payload.getInt32(4) * TWO_POW_32 + payload.getUint32(8),
        payload.getUint32(0),
      )
    default:
      return 'invalid'
  }
}

function milliseconds(seconds: number, nanoseconds: number): number | undefined {
  if (seconds === -UNIX_EPOCH && nanoseconds === 0) return undefined
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1_000_000)
  return Math.abs(ms) <= MAX_MS ? ms : undefined
}
