// The form of a snapshot of `defineStateMachine`: parts back to back, each after its length (4 bytes, big-endian).
import { RaftError, type SnapshotWriter } from '@raftkit/interface'

/** Bytes handed to the snapshot store at a time. */
export const SNAPSHOT_CHUNK_BYTES: number = 256 * 1024

/** Writes encoded parts, small ones together and large ones in chunks. */
export async function writeParts(
  writer: SnapshotWriter,
  parts: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): Promise<void> {
  let pending: Uint8Array[] = []
  let pendingBytes = 0
  const flush = async (): Promise<void> => {
    const bytes = Buffer.concat(pending, pendingBytes)
    pending = []
    pendingBytes = 0
    for (let at = 0; at < bytes.byteLength; at += SNAPSHOT_CHUNK_BYTES)
      await writer.write(bytes.subarray(at, at + SNAPSHOT_CHUNK_BYTES))
  }
  for await (const part of parts) {
    pending.push(lengthOf(part), part)
    pendingBytes += 4 + part.byteLength
    if (pendingBytes >= SNAPSHOT_CHUNK_BYTES) await flush()
  }
  await flush()
}

/** The encoded parts of a snapshot. Memory grows with the bytes that came, not with the length announced. */
export async function* readParts(state: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] = []
  let heldBytes = 0
  let wanted = 4
  let inHeader = true
  for await (const chunk of state) {
    held.push(chunk)
    heldBytes += chunk.byteLength
    if (heldBytes < wanted) continue
    let bytes: Uint8Array = held.length === 1 ? chunk : Buffer.concat(held, heldBytes)
    while (bytes.byteLength >= wanted) {
      const piece = bytes.subarray(0, wanted)
      bytes = bytes.subarray(wanted)
      wanted = inHeader ? uint32(piece) : 4
      if (!inHeader) yield piece
      inHeader = !inHeader
    }
    held = [bytes]
    heldBytes = bytes.byteLength
  }
  if (heldBytes > 0 || !inHeader)
    throw new RaftError('RAFT_SNAPSHOT_CORRUPT', 'The snapshot ends in the middle of a part.')
}

function lengthOf(part: Uint8Array): Uint8Array {
  const header = new Uint8Array(4)
  new DataView(header.buffer).setUint32(0, part.byteLength)
  return header
}

function uint32(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
}
