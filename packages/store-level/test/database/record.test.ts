import { expect, test } from 'vitest'
import {
  DamagedRecord,
  numberIn,
  sealBytes,
  sealFields,
  textIn,
  unsealBytes,
  unsealFields,
} from '../../src/database/record.ts'

test('a record gives back what was sealed', () => {
  expect(unsealBytes('name', sealBytes('name', Uint8Array.of(1, 2)))).toEqual(Buffer.of(1, 2))
  const fields = unsealFields('name', sealFields('name', { a: 2 ** 53 - 1, b: 'ключ' }))
  expect(numberIn(fields, 'a')).toBe(2 ** 53 - 1)
  expect(textIn(fields, 'b')).toBe('ключ')
})

test('a damaged byte, a missing end or another name is found out', () => {
  const sealed = sealFields('name', { a: 1 })
  for (let i = 0; i < sealed.length; i++) {
    const damaged = Uint8Array.from(sealed)
    damaged[i]! ^= 0x10
    expect(() => unsealFields('name', damaged)).toThrow(DamagedRecord)
    expect(() => unsealFields('name', sealed.subarray(0, i))).toThrow(DamagedRecord)
  }
  expect(() => unsealFields('other', sealed)).toThrow(DamagedRecord)
})

test('a field of the wrong kind is found out', () => {
  for (const value of [-1, 1.5, 2 ** 53, '1', null])
    expect(() => numberIn({ a: value }, 'a')).toThrow("its field 'a' is not a number")
  expect(() => textIn({ a: 1 }, 'a')).toThrow("its field 'a' is not text")
  for (const text of ['[1]', 'null', '7', '{'])
    expect(() => unsealFields('name', sealBytes('name', Buffer.from(text)))).toThrow(DamagedRecord)
})
