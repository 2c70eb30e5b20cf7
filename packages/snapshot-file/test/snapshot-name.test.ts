import { describe, expect, it } from 'vitest'
import { formatName, isSnapshotName, isTemporaryName } from '../src/snapshot-name.ts'

describe('the name of a snapshot', () => {
  it("is hashicorp/raft's", () => {
    expect(formatName({ term: 2, index: 8, millis: 1795350674353 })).toBe('2-8-1795350674353')
    expect(isSnapshotName('2-8-1795350674353')).toBe(true)
    expect(isSnapshotName('0-0-0')).toBe(true)
  })

  it.each([
    '',
    '.',
    '..',
    '../2-8-1',
    '2-8-1/..',
    '2-8',
    '2-8-1-1',
    '02-8-1',
    '-2-8-1',
    '2-8-1.tmp',
    ' 2-8-1',
    '2-8-1\n',
    '9007199254740992-1-1',
    '18446744073709551615-1-1',
  ])('is not %j', (text) => {
    expect(isSnapshotName(text)).toBe(false)
  })

  it('is temporary with the suffix', () => {
    expect(isTemporaryName('2-8-1.tmp')).toBe(true)
    expect(isTemporaryName('2-8-1')).toBe(false)
    expect(isTemporaryName('notes.tmp')).toBe(false)
  })
})
