// CRC-64 with the reflected ECMA-182 polynomial (CRC-64/XZ): the checksum of hashicorp/raft's snapshot files.
// A 64-bit value is held as two 32-bit halves, because BigInt is a hundred times slower.

const POLYNOMIAL_LOW = 0xd7870f42
const POLYNOMIAL_HIGH = 0xc96c5795
/** Bytes that one step consumes: one table for each. */
const SLICES = 8

interface Tables {
  readonly low: Int32Array
  readonly high: Int32Array
}

/** Table `n` (256 values from `n * 256`) holds what a byte contributes when `n` further bytes follow it. */
function buildTables(): Tables {
  const low = new Int32Array(SLICES * 256)
  const high = new Int32Array(SLICES * 256)
  for (let byte = 0; byte < 256; byte++) {
    let l = byte
    let h = 0
    for (let bit = 0; bit < 8; bit++) {
      const carry = l & 1
      l = (l >>> 1) | (h << 31)
      h >>>= 1
      if (carry === 1) {
        l ^= POLYNOMIAL_LOW
        h ^= POLYNOMIAL_HIGH
      }
    }
    low[byte] = l
    high[byte] = h
  }
  for (let at = 256; at < SLICES * 256; at++) {
    const l = low[at - 256]!
    const h = high[at - 256]!
    low[at] = ((l >>> 8) | (h << 24)) ^ low[l & 255]!
    high[at] = (h >>> 8) ^ high[l & 255]!
  }
  return { low, high }
}

const { low: LOW, high: HIGH } = buildTables()

/** A CRC-64 in the making: feed it bytes in order, then ask for the value. */
export class Crc64 {
  #low = -1
  #high = -1

  /** Adds bytes. Synchronous, about 1 ms per MiB: hand in large data in pieces. */
  update(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const sliced = bytes.byteLength - (bytes.byteLength % SLICES)
    let low = this.#low
    let high = this.#high
    for (let at = 0; at < sliced; at += SLICES) {
      const a = low ^ view.getInt32(at, true)
      const b = high ^ view.getInt32(at + 4, true)
      const i7 = 1792 + (a & 255)
      const i6 = 1536 + ((a >>> 8) & 255)
      const i5 = 1280 + ((a >>> 16) & 255)
      const i4 = 1024 + (a >>> 24)
      const i3 = 768 + (b & 255)
      const i2 = 512 + ((b >>> 8) & 255)
      const i1 = 256 + ((b >>> 16) & 255)
      const i0 = b >>> 24
      low = LOW[i7]! ^ LOW[i6]! ^ LOW[i5]! ^ LOW[i4]! ^ LOW[i3]! ^ LOW[i2]! ^ LOW[i1]! ^ LOW[i0]!
      high =
        HIGH[i7]! ^
        HIGH[i6]! ^
        HIGH[i5]! ^
        HIGH[i4]! ^
        HIGH[i3]! ^
        HIGH[i2]! ^
        HIGH[i1]! ^
        HIGH[i0]!
    }
    for (let at = sliced; at < bytes.byteLength; at++) {
      const index = (low ^ view.getUint8(at)) & 255
      low = ((low >>> 8) | (high << 24)) ^ LOW[index]!
      high = (high >>> 8) ^ HIGH[index]!
    }
    this.#low = low
    this.#high = high
  }

  /** The value of all bytes so far: 8 bytes, big-endian. More bytes may follow. */
  digest(): Uint8Array {
    const bytes = new Uint8Array(8)
    const view = new DataView(bytes.buffer)
    view.setInt32(0, ~this.#high)
    view.setInt32(4, ~this.#low)
    return bytes
  }
}
