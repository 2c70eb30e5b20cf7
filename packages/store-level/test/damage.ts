import { open, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ClassicLevel } from 'classic-level'
import type { Index } from '@raftkit/interface'
import { blockKey } from '../src/database/keys.ts'

/** Ways to damage a closed store. */

/** Flips a bit in the value of a key behind LevelDB's own checksums, as a table with a flipped byte does. */
export async function damageValue(directory: string, key: Uint8Array): Promise<void> {
  await withLevel(directory, async (level) => {
    const value = await level.get(key)
    if (!value) throw new Error('there is no such key to damage')
    const damaged = Uint8Array.from(value)
    damaged[damaged.length - 1]! ^= 1
    await level.put(key, damaged, { sync: true })
  })
}

/** Flips a bit in the block that holds the entry at `index`. */
export async function damageBlockOf(directory: string, index: Index): Promise<void> {
  const key = await withLevel(directory, async (level) => {
    const keys = await level.keys({ gte: blockKey(index), limit: 1 }).all()
    return keys[0]!
  })
  await damageValue(directory, key)
}

/** Works on the database of a closed store with LevelDB's own means. */
export async function withLevel<T>(
  directory: string,
  work: (level: ClassicLevel<Uint8Array, Uint8Array>) => Promise<T>,
): Promise<T> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(join(directory, 'db'), {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: false,
  })
  await level.open()
  try {
    return await work(level)
  } finally {
    await level.close()
  }
}

/** Paths of the database's files whose names match. */
export async function databaseFiles(
  directory: string,
  pattern: RegExp,
): Promise<readonly string[]> {
  const names = await readdir(join(directory, 'db'))
  return names.filter((name) => pattern.test(name)).map((name) => join(directory, 'db', name))
}

/** Flips all bits of the byte at `at` (a fraction of the file's size) in a file. */
export async function flipByte(path: string, at: number): Promise<void> {
  const file = await open(path, 'r+')
  try {
    const { size } = await file.stat()
    const position = Math.floor(size * at)
    const byte = new Uint8Array(1)
    await file.read(byte, 0, 1, position)
    byte[0]! ^= 0xff
    await file.write(byte, 0, 1, position)
  } finally {
    await file.close()
  }
}
