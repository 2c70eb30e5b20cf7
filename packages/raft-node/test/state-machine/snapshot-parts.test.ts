import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  readParts,
  SNAPSHOT_CHUNK_BYTES,
  writeParts,
} from '../../src/state-machine/snapshot-parts.ts'

async function written(parts: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  await writeParts({ write: async (chunk) => void chunks.push(Uint8Array.from(chunk)) }, parts)
  return chunks
}

async function collect(chunks: readonly Uint8Array[]): Promise<number[][]> {
  const parts: number[][] = []
  const source = async function* (): AsyncGenerator<Uint8Array> {
    yield* chunks
  }
  for await (const part of readParts(source())) parts.push([...part])
  return parts
}

describe('snapshot parts', () => {
  it('come back however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 12 }),
        async (parts, size) => {
          const bytes = Buffer.concat(await written(parts))
          const cut: Uint8Array[] = []
          for (let at = 0; at < bytes.length; at += size) cut.push(bytes.subarray(at, at + size))
          expect(await collect(cut)).toEqual(parts.map((part) => [...part]))
        },
      ),
    )
  })

  it('are written in chunks of limited size, small ones together', async () => {
    const large = await written([new Uint8Array(3 * SNAPSHOT_CHUNK_BYTES)])
    expect(large).toHaveLength(4)
    expect(Math.max(...large.map((chunk) => chunk.byteLength))).toBe(SNAPSHOT_CHUNK_BYTES)
    const small = await written(Array.from({ length: 1000 }, () => new Uint8Array(10)))
    expect(small).toHaveLength(1)
  })

  it('wait for the writer', async () => {
    let writing = 0
    let worst = 0
    const writer = {
      write: async () => {
        worst = Math.max(worst, (writing += 1))
        await new Promise((resolve) => setImmediate(resolve))
        writing -= 1
      },
    }
    await writeParts(writer, [new Uint8Array(4 * SNAPSHOT_CHUNK_BYTES)])
    expect(worst).toBe(1)
  })
})
