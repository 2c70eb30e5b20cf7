import { RaftError } from '@raftkit/interface'
import { expect, it } from 'vitest'
import { readExport, type ExportRecord } from '../../src/transfer/log-export.ts'
import { entries } from '../entries.ts'
import {
  chunks,
  endRecord,
  entriesRecord,
  MAGIC,
  stateRecord,
  valueRecord,
} from '../export-bytes.ts'

const records = [
  stateRecord({ term: 3 }),
  valueRecord('snapshot-floor', '10'),
  entriesRecord(entries(11, 3, 1)),
  endRecord(3, 13),
]
const whole = Buffer.concat([MAGIC, ...records])

async function read(bytes: Uint8Array, chunkSize = 64): Promise<readonly ExportRecord[]> {
  const found: ExportRecord[] = []
  for await (const one of readExport(chunks(bytes, chunkSize), 4096)) found.push(one)
  return found
}

it('gives the records whatever the chunks', async () => {
  for (let size = 1; size < 40; size++)
    expect((await read(whole, size)).map(({ kind }) => kind)).toEqual([
      'state',
      'value',
      'entries',
      'end',
    ])
})

it('gives no end record when the bytes are cut anywhere', async () => {
  for (let length = 0; length < whole.length; length++) {
    const kinds = await read(whole.subarray(0, length)).then(
      (found) => found.map(({ kind }) => kind),
      (error: unknown) => {
        expect(RaftError.is(error, 'RAFT_DECODE_FAILED')).toBe(true)
        return []
      },
    )
    expect(kinds).not.toContain('end')
  }
})

it('refuses a bit that changed anywhere', async () => {
  for (let at = 0; at < whole.length; at++)
    for (const bit of [0x01, 0x80]) {
      const changed = Buffer.from(whole)
      changed[at] = changed[at]! ^ bit
      const error: unknown = await read(changed).catch((reason: unknown) => reason)
      expect(RaftError.is(error) && error.code).toMatch(/^RAFT_(DECODE_FAILED|LIMIT_EXCEEDED)$/)
    }
})
