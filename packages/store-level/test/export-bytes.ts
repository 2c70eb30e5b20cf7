import { crc32 } from 'node:zlib'
import type { EntryBatch } from '@raftkit/interface'

/** The bytes of an export, made by the letter of docs/formats.md. */
export const MAGIC: Buffer = Buffer.from('RAFTLOG\x01', 'latin1')

export function record(kind: number, payload: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head[0] = kind
  head.writeUInt32BE(payload.length, 1)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(payload, crc32(head)))
  return Buffer.concat([head, payload, checksum])
}

export function stateRecord(state: unknown): Buffer {
  return record(1, Buffer.from(JSON.stringify(state)))
}

export function entriesRecord(batch: EntryBatch): Buffer {
  const head = Buffer.alloc(12)
  head.writeBigUInt64BE(BigInt(batch.firstIndex))
  head.writeUInt32BE(batch.count, 8)
  const table = batch.terms.map((term, i) => {
    const row = Buffer.alloc(13)
    row.writeBigUInt64BE(BigInt(term))
    row[8] = batch.types[i]!
    row.writeUInt32BE(batch.byteLengthAt(batch.firstIndex + i), 9)
    return row
  })
  return record(2, Buffer.concat([head, ...table, batch.view]))
}

export function valueRecord(name: string, value: string): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(Buffer.byteLength(name))
  return record(3, Buffer.concat([length, Buffer.from(name), Buffer.from(value)]))
}

export function endRecord(count: number, lastIndex: number): Buffer {
  const payload = Buffer.alloc(16)
  payload.writeBigUInt64BE(BigInt(count))
  payload.writeBigUInt64BE(BigInt(lastIndex), 8)
  return record(4, payload)
}

/** The bytes in chunks of one size. */
export async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}
