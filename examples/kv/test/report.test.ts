import { describe, expect, it } from 'vitest'
import {
  compare,
  reportOf,
  type KeyHistory,
  type Measurements,
  type NodeState,
} from '../src/report.ts'

const node = (
  name: string,
  values: Record<string, string>,
  sha256 = 'same',
  index = 9,
): NodeState => ({
  name,
  digest: { index, keys: Object.keys(values).length, sha256 },
  values: new Map(Object.entries(values)),
})

const history = (entries: Record<string, KeyHistory>): Map<string, KeyHistory> =>
  new Map(Object.entries(entries))

const measured: Measurements = {
  acknowledged: 10,
  refused: 0,
  unknown: 0,
  elections: 2,
  unavailableMs: 500,
  recoveryMs: 800,
  snapshotsInstalled: 1,
  keys: 1,
  index: 9,
  durationMs: 1000,
}

describe('compare', () => {
  it('finds nothing when every node holds what was acknowledged', () => {
    const kept = history({ a: { version: 2, acknowledged: 'a2' }, b: { version: 1 } })
    expect(compare(kept, [node('1', { a: 'a2' }), node('2', { a: 'a2' })])).toEqual({
      lost: [],
      corrupt: [],
      identical: true,
    })
  })

  it.each([
    ['that is missing', {}, null],
    ['that is an older one', { a: 'a1' }, 'a1'],
  ])('finds an acknowledged value %s on one node', (_name, values, found) => {
    const kept = history({ a: { version: 2, acknowledged: 'a2' } })
    const { lost, corrupt } = compare(kept, [node('1', { a: 'a2' }), node('2', values)])
    expect(lost).toEqual([{ node: '2', key: 'a', expected: 'a2', found }])
    expect(corrupt).toEqual([])
  })

  it('accepts a write of unknown outcome, done or not', () => {
    const kept = history({
      a: { version: 2, acknowledged: 'a1', unknown: 'a2' },
      b: { version: 1, unknown: 'b1' },
    })
    for (const values of [{ a: 'a1' }, { a: 'a2' }, { a: 'a1', b: 'b1' }])
      expect(compare(kept, [node('1', values)])).toMatchObject({ lost: [], corrupt: [] })
    expect(compare(kept, [node('1', { a: 'a1', b: 'b0' })]).corrupt).toHaveLength(1)
    expect(compare(kept, [node('1', { b: 'b1' })]).lost).toHaveLength(1)
  })

  it('finds a write that was refused and happened all the same', () => {
    const kept = history({ a: { version: 1 } })
    expect(compare(kept, [node('1', { a: 'a1' })]).corrupt).toEqual([
      { node: '1', key: 'a', expected: null, found: 'a1' },
    ])
  })

  it('finds a key that nobody wrote', () => {
    expect(compare(history({}), [node('1', { ghost: 'x' })]).corrupt).toHaveLength(1)
  })

  it('calls states identical only at the same index with the same contents', () => {
    const base = node('1', { a: 'a1' })
    expect(compare(history({}), [base, node('2', { a: 'a1' }, 'other')]).identical).toBe(false)
    expect(compare(history({}), [base, node('2', { a: 'a1' }, 'same', 8)]).identical).toBe(false)
    expect(compare(history({}), [base, node('2', {}, 'same')]).identical).toBe(false)
    expect(compare(history({}), []).identical).toBe(false)
  })
})

describe('reportOf', () => {
  const clean = { lost: [], corrupt: [], identical: true }
  const discrepancy = { node: '1', key: 'a', expected: 'x', found: null }

  it('is ok when nothing is wrong', () => {
    expect(reportOf(measured, clean)).toMatchObject({
      ok: true,
      acknowledged: 10,
      lost: 0,
      elections: 2,
      unavailableMs: 500,
      snapshotsInstalled: 1,
      identical: true,
      problems: [],
    })
  })

  it.each([
    ['a lost write', measured, { ...clean, lost: [discrepancy] }, 'lost a'],
    ['a wrong value', measured, { ...clean, corrupt: [discrepancy] }, 'wrong value for a'],
    ['states that differ', measured, { ...clean, identical: false }, 'not hold the same state'],
    ['a run without writes', { ...measured, acknowledged: 0 }, clean, 'no write'],
    ['a run without a snapshot', { ...measured, snapshotsInstalled: 0 }, clean, 'by snapshot'],
  ])('is not ok with %s', (_name, numbers, comparison, said) => {
    const report = reportOf(numbers, comparison)
    expect(report.ok).toBe(false)
    expect(report.problems.join()).toContain(said)
  })
})
