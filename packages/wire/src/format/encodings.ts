// Sizes and bytes of single values in the old MessagePack specification that go-msgpack writes: raw strings, no str8, no bin.

/** 2^32: indexes and terms are split with it, because 32-bit operators would cut them. */
export const TWO_POW_32 = 0x1_0000_0000

/** The byte of nil. */
export const NIL = 0xc0

/** Encoded bytes of an unsigned integer. */
export function uintSize(value: number): number {
  if (value < 0x80) return 1
  if (value < 0x100) return 2
  if (value < 0x1_0000) return 3
  return value < TWO_POW_32 ? 5 : 9
}

/** Writes an unsigned integer (Go's uint64 and uint8); returns the position after it. */
export function putUint(bytes: Uint8Array, at: number, value: number): number {
  if (value < 0x80) {
    bytes[at] = value
    return at + 1
  }
  if (value < 0x100) {
    bytes[at] = 0xcc
    bytes[at + 1] = value
    return at + 2
  }
  if (value < 0x1_0000) {
    bytes[at] = 0xcd
    return putUint16(bytes, at + 1, value)
  }
  if (value < TWO_POW_32) {
    bytes[at] = 0xce
    return putUint32(bytes, at + 1, value)
  }
  bytes[at] = 0xcf
  return putInt64(bytes, at + 1, value)
}

/** Writes a signed integer (Go's int and int64): positive ones skip the 8-bit form. */
export function putInt(bytes: Uint8Array, at: number, value: number): number {
  if (value >= -0x20 && value < 0x80) {
    bytes[at] = value
    return at + 1
  }
  if (value < 0 && value >= -0x80) {
    bytes[at] = 0xd0
    bytes[at + 1] = value
    return at + 2
  }
  if (value >= -0x8000 && value < 0x8000) {
    bytes[at] = 0xd1
    return putUint16(bytes, at + 1, value)
  }
  if (value >= -0x8000_0000 && value < 0x8000_0000) {
    bytes[at] = 0xd2
    return putUint32(bytes, at + 1, value)
  }
  bytes[at] = 0xd3
  return putInt64(bytes, at + 1, value)
}

/** Encoded bytes of the header of a raw string. */
export function rawHeaderSize(length: number): number {
  if (length < 0x20) return 1
  return length < 0x1_0000 ? 3 : 5
}

/** Writes the header of a raw string of `length` bytes, which serves for text and bytes alike. */
export function putRawHeader(bytes: Uint8Array, at: number, length: number): number {
  return putCount(bytes, at, length, 0xa0, 0x20, 0xda)
}

/** Writes the header of an array. */
export function putArrayHeader(bytes: Uint8Array, at: number, length: number): number {
  return putCount(bytes, at, length, 0x90, 0x10, 0xdc)
}

function putCount(
  bytes: Uint8Array,
  at: number,
  count: number,
  fix: number,
  fixEnd: number,
  lead16: number,
): number {
  if (count < fixEnd) {
    bytes[at] = fix + count
    return at + 1
  }
  if (count < 0x1_0000) {
    bytes[at] = lead16
    return putUint16(bytes, at + 1, count)
  }
  bytes[at] = lead16 + 1
  return putUint32(bytes, at + 1, count)
}

function putUint16(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >> 8
  bytes[at + 1] = value
  return at + 2
}

/** Writes the low 32 bits, most significant byte first. */
function putUint32(bytes: Uint8Array, at: number, value: number): number {
  bytes[at] = value >>> 24
  bytes[at + 1] = value >>> 16
  bytes[at + 2] = value >>> 8
  bytes[at + 3] = value
  return at + 4
}

/** Writes a safe integer as 64 bits, two's complement, most significant byte first. */
function putInt64(bytes: Uint8Array, at: number, value: number): number {
  putUint32(bytes, at, Math.floor(value / TWO_POW_32))
  return putUint32(bytes, at + 4, value)
}
