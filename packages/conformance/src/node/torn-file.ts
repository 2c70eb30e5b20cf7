import { open } from 'node:fs/promises'
import type { TornEnd } from '../torn-end.ts'

/** Does to the end of a file what a write does that a crash tore. */
export async function tearFile(path: string, { bytes, how }: TornEnd): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const kept = Math.max(0, size - bytes)
    if (how === 'cut') await file.truncate(kept)
    else await file.write(new Uint8Array(size - kept), 0, size - kept, kept)
  } finally {
    await file.close()
  }
}

/** Flips a bit of the byte at that place of a file. */
export async function flipBit(path: string, place: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const byte = new Uint8Array(1)
    await file.read(byte, 0, 1, place)
    byte[0]! ^= 1
    await file.write(byte, 0, 1, place)
  } finally {
    await file.close()
  }
}
