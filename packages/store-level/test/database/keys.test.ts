import { ClassicLevel } from 'classic-level'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockKey, LAST_BLOCK_KEY, lastIndexOfKey } from '../../src/database/keys.ts'
import { temporaryDirectory } from '../temporary-directory.ts'

const safeIndex = fc.maxSafeNat()

test('a key gives its index back', () => {
  fc.assert(
    fc.property(safeIndex, (index) => {
      expect(lastIndexOfKey(blockKey(index))).toBe(index)
    }),
  )
})

test('keys are in the order of their indexes', () => {
  fc.assert(
    fc.property(safeIndex, safeIndex, (a, b) => {
      expect(Math.sign(Buffer.compare(blockKey(a), blockKey(b)))).toBe(Math.sign(a - b))
    }),
  )
})

test('LevelDB keeps keys in order where bits and signs change', async () => {
  const indexes = [0, 1, 255, 256, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1]
  const level = new ClassicLevel<Uint8Array, Uint8Array>(await temporaryDirectory(), {
    keyEncoding: 'view',
    valueEncoding: 'view',
  })
  for (const index of indexes.toReversed()) await level.put(blockKey(index), Uint8Array.of(1))
  const keys = await level.keys().all()
  await level.close()
  expect(keys.map(lastIndexOfKey)).toEqual(indexes)
  expect(keys.at(-1)).toEqual(Buffer.from(LAST_BLOCK_KEY))
})

test('a key of another length is damage', () => {
  expect(() => lastIndexOfKey(Uint8Array.of(0x6c, 0, 1))).toThrow('a key of 3 bytes')
})
