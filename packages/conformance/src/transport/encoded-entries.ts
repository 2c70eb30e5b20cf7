import { EntryBatch, LogType } from '@raftkit/interface'
import type { Index, Term } from '@raftkit/interface'

/**
 * A batch of commands in hashicorp/raft's encoding: a transport may look into the entries it carries, so they must
 * be real ones. Written out here because this package depends on the interface alone.
 */
export function encodedBatch(
  firstIndex: Index,
  term: Term,
  payloads: readonly Uint8Array[],
): EntryBatch {
  const parts = payloads.map((payload, i) => encodedEntry(firstIndex + i, term, payload))
  const offsets = [0]
  for (const part of parts) offsets.push(offsets.at(-1)! + part.length)
  const bytes = new Uint8Array(offsets.at(-1)!)
  for (const [i, part] of parts.entries()) bytes.set(part, offsets[i])
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    payloads.map(() => term),
    payloads.map(() => LogType.command),
  )
}

/** One MessagePack map with the fields of hashicorp/raft's `Log`, keys in ascending order. */
function encodedEntry(index: Index, term: Term, data: Uint8Array): Uint8Array {
  const head: number[] = [0x86]
  text(head, 'AppendedAt')
  // Go's zero time.
  head.push(0xaf, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff)
  text(head, 'Data')
  rawLength(head, data.length)
  const tail: number[] = []
  text(tail, 'Extensions')
  tail.push(0xc0)
  text(tail, 'Index')
  unsigned(tail, index)
  text(tail, 'Term')
  unsigned(tail, term)
  text(tail, 'Type')
  tail.push(LogType.command)
  const bytes = new Uint8Array(head.length + data.length + tail.length)
  bytes.set(head)
  bytes.set(data, head.length)
  bytes.set(tail, head.length + data.length)
  return bytes
}

function text(out: number[], value: string): void {
  out.push(0xa0 + value.length)
  for (let i = 0; i < value.length; i++) out.push(value.charCodeAt(i))
}

/** Leads a byte string in the old MessagePack form, without str8 and bin. */
function rawLength(out: number[], length: number): void {
  if (length < 32) out.push(0xa0 + length)
  else if (length < 2 ** 16) out.push(0xda, ...bigEndian(length, 2))
  else out.push(0xdb, ...bigEndian(length, 4))
}

function unsigned(out: number[], value: number): void {
  if (value < 2 ** 7) out.push(value)
  else if (value < 2 ** 8) out.push(0xcc, value)
  else if (value < 2 ** 16) out.push(0xcd, ...bigEndian(value, 2))
  else if (value < 2 ** 32) out.push(0xce, ...bigEndian(value, 4))
  else out.push(0xcf, ...bigEndian(value, 8))
}

function bigEndian(value: number, width: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (let i = 0; i < width; i++) {
    bytes.unshift(rest % 256)
    rest = Math.floor(rest / 256)
  }
  return bytes
}
