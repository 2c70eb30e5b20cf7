import fc from 'fast-check'
import { expect, test } from 'vitest'
import { TermLog } from '../../../src/consensus/state/term-log.ts'
import { runsOf } from '../lone-server.ts'

/** The log as a plain array of terms, one per entry from index 1 on. */
interface Model {
  terms: number[]
  snapshot: number
  first: number
}

/** Every answer of the log, and what it must be. */
function answers(log: TermLog): unknown[] {
  const told: unknown[] = [log.lastIndex, log.lastTerm, log.firstIndex]
  for (let index = 1; index <= log.lastIndex + 1; index++) told.push(log.termAt(index))
  for (let index = log.firstIndex; index <= log.lastIndex; index++) {
    told.push(log.runStart(index))
    for (let term = 0; term < 6; term++) told.push(log.lastWithTermAtMost(term, index))
  }
  return told
}

function expected({ terms, snapshot, first }: Model): unknown[] {
  const told: unknown[] = [terms.length, terms.at(-1) ?? 0, first]
  for (let index = 1; index <= terms.length + 1; index++)
    told.push(index >= first - 1 || index === snapshot ? terms[index - 1] : undefined)
  for (let index = first; index <= terms.length; index++) {
    let start = index
    while (start > first && terms[start - 2] === terms[index - 1]) start--
    told.push(start)
    for (let term = 0; term < 6; term++) {
      let last = index
      while (last >= first && terms[last - 1]! > term) last--
      told.push(last)
    }
  }
  return told
}

const step = fc.oneof(
  fc.record({
    type: fc.constant('append' as const),
    count: fc.integer({ min: 1, max: 4 }),
    up: fc.integer({ min: 0, max: 2 }),
  }),
  fc.record({ type: fc.constant('truncate' as const), back: fc.integer({ min: 0, max: 5 }) }),
  fc.record({
    type: fc.constant('snapshot' as const),
    back: fc.integer({ min: 0, max: 5 }),
    keep: fc.integer({ min: 0, max: 4 }),
  }),
  fc.record({
    type: fc.constant('install' as const),
    ahead: fc.integer({ min: -3, max: 3 }),
    up: fc.integer({ min: 0, max: 1 }),
  }),
)

test('the log answers like an array of terms', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const log = new TermLog({ index: 0, term: 0 }, 0, 0, [])
      const model: Model = { terms: [], snapshot: 0, first: 1 }
      for (const action of steps) {
        const last = model.terms.length
        if (action.type === 'append') {
          const term = (model.terms.at(-1) ?? 0) + action.up
          log.append(action.count, term)
          for (let count = 0; count < action.count; count++) model.terms.push(term)
        } else if (action.type === 'truncate') {
          const from = Math.max(model.snapshot + 1, last - action.back)
          if (from > last) continue
          log.truncate(from)
          model.terms.length = from - 1
        } else if (action.type === 'snapshot') {
          const index = last - action.back
          if (index <= model.snapshot) continue
          log.snapshotSaved({ index, term: model.terms[index - 1]! })
          model.snapshot = index
          const to = index - action.keep
          log.compact(to)
          model.first = Math.max(model.first, to + 1)
        } else {
          const index = last + action.ahead
          if (index <= model.snapshot) continue
          const isKept = index <= last
          const term = isKept ? model.terms[index - 1]! : (model.terms.at(-1) ?? 0) + action.up
          log.install({ index, term }, isKept)
          while (model.terms.length < index) model.terms.push(term)
          model.snapshot = index
          model.first = index + 1
        }
        expect(answers(log)).toEqual(expected(model))
      }
    }),
  )
})

test('the first conflict is the first entry with another term', () => {
  const ascending = fc
    .array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 10 })
    .map((ups) => ups.reduce<number[]>((terms, up) => [...terms, (terms.at(-1) ?? 0) + up], []))
  fc.assert(
    fc.property(ascending, ascending, fc.nat(9), (own, other, from) => {
      const log = new TermLog({ index: 0, term: 0 }, 1, own.length, runsOf(1, own))
      const firstIndex = Math.min(from, other.length - 1) + 1
      const terms = other.slice(firstIndex - 1)
      let expected: number | undefined
      for (let index = Math.min(own.length, other.length); index >= firstIndex; index--)
        if (own[index - 1] !== other[index - 1]) expected = index
      const span = {
        firstIndex,
        lastIndex: other.length,
        runs: runsOf(firstIndex, terms),
        configurations: [],
      }
      expect(log.firstConflict(span)).toBe(expected)
    }),
  )
})

test('a log with a hole behind its snapshot is refused', () => {
  expect(() => new TermLog({ index: 5, term: 1 }, 7, 9, [{ firstIndex: 7, term: 1 }])).toThrow(
    'the log starts at 7, but the snapshot ends at 5',
  )
})

test('up-to-date goes by term first, then by index (§5.4.1)', () => {
  const log = new TermLog({ index: 0, term: 0 }, 1, 3, runsOf(1, [1, 2, 2]))
  const ends = [
    [3, 2, true],
    [4, 2, true],
    [2, 2, false],
    [1, 3, true],
    [9, 1, false],
  ] as const
  for (const [index, term, expected] of ends) expect(log.isUpToDate(index, term)).toBe(expected)
})
