import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Crc64 } from '../src/crc64.ts'

const bytesOf = (text: string) => new TextEncoder().encode(text)
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

function crcOf(...pieces: Uint8Array[]): string {
  const crc = new Crc64()
  for (const piece of pieces) crc.update(piece)
  return hex(crc.digest())
}

/** Bit by bit, from the definition. */
function slowCrc(bytes: Uint8Array): string {
  const polynomial = 0xc96c5795d7870f42n
  let crc = 0xffffffffffffffffn
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = crc & 1n ? (crc >> 1n) ^ polynomial : crc >> 1n
  }
  return (crc ^ 0xffffffffffffffffn).toString(16).padStart(16, '0')
}

describe('Crc64', () => {
  it('gives the published check value of CRC-64/XZ', () => {
    expect(crcOf(bytesOf('123456789'))).toBe('995dc9bbdf1939fa')
  })

  it("gives what hashicorp/raft wrote for a real snapshot's state", () => {
    expect(crcOf(bytesOf('cmd-0\ncmd-1\ncmd-2\ncmd-3\ncmd-4'))).toBe('215b4d7754e8c4eb')
  })

  it('is zero for no bytes', () => {
    expect(crcOf()).toBe('0000000000000000')
    expect(crcOf(new Uint8Array(0))).toBe('0000000000000000')
  })

  it('agrees with the definition, whatever the pieces and their alignment', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 }), (pieces) => {
        const whole = Buffer.concat(pieces)
        // Views at odd offsets of one buffer.
        let at = 0
        const views = pieces.map((piece) => whole.subarray(at, (at += piece.byteLength)))
        expect(crcOf(...views)).toBe(slowCrc(whole))
        expect(crcOf(whole)).toBe(slowCrc(whole))
      }),
    )
  })

  it('can be asked in between', () => {
    const crc = new Crc64()
    crc.update(bytesOf('1234'))
    expect(hex(crc.digest())).toBe(slowCrc(bytesOf('1234')))
    crc.update(bytesOf('56789'))
    expect(hex(crc.digest())).toBe('995dc9bbdf1939fa')
  })
})
