// Go's time.Time as its MarshalBinary and go-msgpack write it.
import { TWO_POW_32 } from './encodings.ts'
import { notEncodable } from './pack.ts'

/** Seconds from 0001-01-01T00:00:00Z, where Go counts from, to the Unix epoch. */
const UNIX_EPOCH = 62_135_596_800

/** What JavaScript's Date can hold, milliseconds from the Unix epoch. */
const MAX_MS = 8.64e15

/** Encoded bytes of a time as raftkit writes it: a fixstr of 15 bytes. */
export const TIME_SIZE = 16

/** The encoded time as four words: all entries of a batch share it. */
export type TimeWords = readonly [number, number, number, number]

/**
 * A time in UTC, from milliseconds since the Unix epoch; undefined is Go's zero time. Fractions of a millisecond
 * are cut off. The bytes are: the header of the string, version 1, seconds (64 bits), nanoseconds (32 bits), and
 * -1 (16 bits), which stands for UTC.
 */
export function timeWords(ms: number | undefined): TimeWords {
  if (ms !== undefined && !(Math.abs(ms) <= MAX_MS)) throw notEncodable('the time', ms)
  const unixSeconds = Math.floor((ms ?? 0) / 1000)
  const nanoseconds = (Math.floor(ms ?? 0) - unixSeconds * 1000) * 1_000_000
  const seconds = ms === undefined ? 0 : unixSeconds + UNIX_EPOCH
  const high = Math.floor(seconds / TWO_POW_32)
  return [
    0xaf01_0000 + ((high >>> 16) & 0xffff),
    ((high << 16) | ((seconds >>> 16) & 0xffff)) >>> 0,
    ((seconds << 16) | (nanoseconds >>> 16)) >>> 0,
    ((nanoseconds << 16) | 0xffff) >>> 0,
  ]
}

/**
 * The time in the `size` bytes at `at` of a fixstr: MarshalBinary (15 bytes; 16 when the zone has odd seconds) or
 * one of the new formats. 'invalid' for any other bytes. Go's zero time, and one that JavaScript cannot hold, is
 * undefined. Times are for display: only their form is checked.
 */
export function timeOfFixstr(
  view: DataView,
  at: number,
  size: number,
): number | undefined | 'invalid' {
  if (size !== 15 && size !== 16) return timeOfTimestamp(view, at, size)
  if (view.getUint8(at) !== size - 14) return 'invalid'
  return milliseconds(int64(view, at + 1) - UNIX_EPOCH, view.getInt32(at + 9))
}

/** The time in MessagePack's timestamp format: 4, 8 or 12 bytes. */
export function timeOfTimestamp(
  view: DataView,
  at: number,
  size: number,
): number | undefined | 'invalid' {
  switch (size) {
    case 4:
      return milliseconds(view.getUint32(at), 0)
    case 8: {
      const high = view.getUint32(at)
      return milliseconds((high & 3) * TWO_POW_32 + view.getUint32(at + 4), high >>> 2)
    }
    case 12:
      return milliseconds(int64(view, at + 4), view.getUint32(at))
    default:
      return 'invalid'
  }
}

function int64(view: DataView, at: number): number {
  return view.getInt32(at) * TWO_POW_32 + view.getUint32(at + 4)
}

function milliseconds(seconds: number, nanoseconds: number): number | undefined {
  if (seconds === -UNIX_EPOCH && nanoseconds === 0) return undefined
  const ms = seconds * 1000 + Math.floor(nanoseconds / 1_000_000)
  return Math.abs(ms) <= MAX_MS ? ms : undefined
}
