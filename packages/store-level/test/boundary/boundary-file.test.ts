import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  BoundaryFile,
  identityFits,
  NO_BOUNDARY,
  STORE_FORMAT,
} from '../../src/boundary/boundary-file.ts'
import type { Boundary } from '../../src/boundary/boundary-file.ts'
import { localDisk } from '../../src/database/disk.ts'
import { DamagedRecord } from '../../src/database/record.ts'
import { temporaryDirectory } from '../temporary-directory.ts'
import { watchedDisk } from '../watched-disk.ts'

const identity = { format: STORE_FORMAT, storeId: 'store', serverId: 'server' }
const largest: Boundary = {
  lastIndex: 2 ** 53 - 1,
  lastTerm: 2 ** 53 - 1,
  logChecksum: 2 ** 32 - 1,
  term: 2 ** 53 - 1,
  hardStateChecksum: 2 ** 32 - 1,
  revision: 2 ** 53 - 1,
}
const boundaryOf = (lastIndex: number): Boundary => ({
  ...NO_BOUNDARY,
  lastIndex,
  revision: lastIndex,
})
const slots = [4096, 8192]

async function newFile(): Promise<string> {
  const path = join(await temporaryDirectory(), 'boundary')
  await BoundaryFile.create(localDisk, path, identity)
  return path
}

async function foundIn(path: string): Promise<Boundary> {
  const file = await BoundaryFile.open(localDisk, path)
  await file.close()
  return file.found
}

test('a new file promises nothing', async () => {
  const file = await BoundaryFile.open(localDisk, await newFile())
  expect(file.identity).toEqual(identity)
  expect(file.found).toEqual(NO_BOUNDARY)
  await file.close()
})

test('the last boundary written is found, across openings', async () => {
  const path = await newFile()
  for (let round = 1; round < 6; round++) {
    const file = await BoundaryFile.open(localDisk, path)
    for (let i = 0; i < round; i++) await file.write(boundaryOf(round * 10 + i))
    await file.close()
    expect((await foundIn(path)).lastIndex).toBe(round * 11 - 1)
  }
  const file = await BoundaryFile.open(localDisk, path)
  await file.write(largest)
  await file.close()
  expect(await foundIn(path)).toEqual(largest)
})

test('a slot that a crash tore leaves the boundary before it', async () => {
  const path = await newFile()
  const file = await BoundaryFile.open(localDisk, path)
  await file.write(boundaryOf(7))
  const before = await readFile(path)
  await file.write(boundaryOf(8))
  const after = await readFile(path)
  await file.close()
  const start = slots.find((at) => before[at + 5] !== after[at + 5])!
  const lastDigit = start + after.readUInt16BE(start)
  for (let end = start + 1; end <= lastDigit; end++) {
    const image = Uint8Array.from(before)
    image.set(after.subarray(start, end), start)
    await writeFile(path, image)
    expect((await foundIn(path)).lastIndex).toBe(7)
  }
})

test('each write is synced, and goes to the other slot', async () => {
  const path = await newFile()
  const steps: string[] = []
  const file = await BoundaryFile.open(
    watchedDisk((step) => void steps.push(step)),
    path,
  )
  const changed: number[] = []
  for (let i = 1; i < 5; i++) {
    const before = await readFile(path)
    await file.write(boundaryOf(i))
    const after = await readFile(path)
    changed.push(
      ...slots.filter((at) => !before.subarray(at, at + 512).equals(after.subarray(at, at + 512))),
    )
  }
  await file.close()
  expect(steps.slice(1)).toEqual(
    Array.from({ length: 4 }, () => ['write boundary', 'sync boundary']).flat(),
  )
  expect(new Set(changed)).toEqual(new Set(slots))
  expect(changed[0]).not.toBe(changed[1])
  expect(changed[1]).not.toBe(changed[2])
})

test('with both slots damaged, or an end missing, it is damaged', async () => {
  const path = await newFile()
  const bytes = await readFile(path)
  for (const slot of slots) bytes[slot + 10]! ^= 1
  await writeFile(path, bytes)
  await expect(foundIn(path)).rejects.toThrow('neither of its slots is readable')
  await truncate(path, 8600)
  await expect(foundIn(path)).rejects.toThrow(DamagedRecord)
})

test('an identity fits up to 4 KiB', () => {
  expect(identityFits(identity)).toBe(true)
  expect(identityFits({ ...identity, serverId: 'x'.repeat(1024) })).toBe(true)
  expect(identityFits({ ...identity, serverId: 'x'.repeat(4096) })).toBe(false)
})
