// Reading state.bin: once in full to check it, once to hand it out, both in pieces.
import { Crc64 } from './crc64.ts'
import { corrupt, readFailure } from './disk-failure.ts'
import type { ReadableFile } from './file-system.ts'
import type { StoredMeta } from './meta-file.ts'

/** Name of the file that holds the state. */
export const STATE_FILE = 'state.bin'

/**
 * Compares size and checksum of the whole file with what meta.json says. Reads one piece while it sums up another,
 * and gives the event loop a turn between pieces. Throws `RAFT_SNAPSHOT_CORRUPT` naming `path`.
 */
export async function verifyState(
  file: ReadableFile,
  { meta, checksum }: StoredMeta,
  chunkBytes: number,
  path: string,
): Promise<void> {
  const size = await file.size()
  if (size !== meta.size)
    throw corrupt(path, `state.bin has ${size} bytes where ${meta.size} were written`)
  const sum = new Crc64()
  let summed = new Uint8Array(Math.min(chunkBytes, size))
  let filled = new Uint8Array(Math.min(chunkBytes, size))
  let reading = readPiece(file, filled, 0, size, path)
  for (let position = 0; position < size;) {
    const piece = await reading
    position += piece.byteLength
    ;[summed, filled] = [filled, summed]
    reading = readPiece(file, filled, position, size, path)
    sum.update(piece)
  }
  await reading
  if (Buffer.compare(sum.digest(), checksum) !== 0)
    throw corrupt(path, 'the checksum of state.bin differs from the one in meta.json')
}

/** Hands out the file in new pieces of `chunkBytes`, the last one shorter. */
export async function* streamState(
  file: ReadableFile,
  size: number,
  chunkBytes: number,
  path: string,
): AsyncGenerator<Uint8Array, void, undefined> {
  for (let position = 0; position < size; position += chunkBytes) {
    const piece = new Uint8Array(Math.min(chunkBytes, size - position))
    yield await readPiece(file, piece, position, size, path).catch((error: unknown) => {
      throw readFailure(path, error)
    })
  }
}

/** What `target` can take of the bytes from `position` to `end`; nothing at the end. */
async function readPiece(
  file: ReadableFile,
  target: Uint8Array,
  position: number,
  end: number,
  path: string,
): Promise<Uint8Array> {
  const piece = target.subarray(0, Math.min(target.byteLength, end - position))
  if (piece.byteLength === 0) return piece
  if ((await file.read(piece, position)) !== piece.byteLength)
    throw corrupt(path, `state.bin ends before byte ${position + piece.byteLength}`)
  return piece
}
