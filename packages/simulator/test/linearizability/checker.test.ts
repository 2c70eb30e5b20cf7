import { describe, expect, it } from 'vitest'
import { checkLinearizability, type Operation, type SequentialModel } from '@raftkit/simulator'

type Input =
  | { readonly put: number; readonly key?: string }
  | { readonly get: true; readonly key?: string }

/** A register for each key. */
const register: SequentialModel<number, Input, number> = {
  initial: 0,
  partOf: ({ key = 'x' }) => key,
  step(state, input, output) {
    if ('put' in input) return { state: input.put }
    return output === undefined || output === state ? { state } : undefined
  },
  describe: (input, output) => ('put' in input ? `put ${input.put}` : `get -> ${output}`),
}

function put(
  client: string,
  put: number,
  calledAt: number,
  returnedAt?: number,
  key?: string,
): Operation<Input, number> {
  const input = key === undefined ? { put } : { put, key }
  return { client, input, calledAt, returnedAt, output: returnedAt === undefined ? undefined : 0 }
}

function get(
  client: string,
  output: number,
  calledAt: number,
  returnedAt: number,
  key?: string,
): Operation<Input, number> {
  const input = key === undefined ? ({ get: true } as const) : ({ get: true, key } as const)
  return { client, input, calledAt, returnedAt, output }
}

const resultOf = (history: readonly Operation<Input, number>[]): string =>
  checkLinearizability(register, history).result

describe('checkLinearizability', () => {
  it('accepts what some order explains', () => {
    expect(resultOf([])).toBe('linearizable')
    expect(resultOf([put('a', 1, 0, 1), get('b', 1, 2, 3)])).toBe('linearizable')
    // Both at once: the read may come before or after.
    expect(resultOf([put('a', 1, 0, 5), get('b', 0, 1, 2), get('b', 1, 3, 4)])).toBe('linearizable')
  })

  it('rejects a stale read', () => {
    expect(resultOf([put('a', 1, 0, 1), get('b', 0, 2, 3)])).toBe('not linearizable')
  })

  it('rejects a value that comes and goes', () => {
    const history = [put('a', 1, 0, 10), get('b', 1, 1, 2), get('c', 0, 3, 4)]
    expect(resultOf(history)).toBe('not linearizable')
  })

  it('takes calls at one moment with returns as concurrent', () => {
    expect(resultOf([put('a', 1, 0, 2), get('b', 0, 2, 3)])).toBe('linearizable')
  })

  it('lets a write of unknown outcome happen late, or never', () => {
    expect(resultOf([put('a', 1, 0), get('b', 0, 5, 6), get('b', 1, 7, 8)])).toBe('linearizable')
    expect(resultOf([put('a', 1, 0), get('b', 0, 5, 6), get('b', 0, 7, 8)])).toBe('linearizable')
    expect(resultOf([put('a', 1, 3), get('b', 1, 1, 2)])).toBe('not linearizable')
    expect(resultOf([put('a', 1, 0), get('b', 1, 1, 2), get('b', 0, 3, 4)])).toBe(
      'not linearizable',
    )
  })

  it('judges each part by itself and names the bad one', () => {
    const fine = Array.from({ length: 200 }, (_, n) => put('a', n, n, n + 0.5, 'fine'))
    const verdict = checkLinearizability(register, [
      ...fine,
      put('b', 7, 0, 1, 'bad'),
      get('c', 8, 2, 3, 'bad'),
    ])
    expect(verdict).toMatchObject({ result: 'not linearizable', part: 'bad' })
  })

  it('shows a rejected history as a picture', () => {
    const verdict = checkLinearizability(register, [put('a', 1, 0, 1), get('b', 0, 2, 3)])
    const transcript = verdict.result === 'not linearizable' ? verdict.transcript : ''
    expect(transcript).toContain('#1 a    [-------------]')
    expect(transcript).toMatch(/\? b +\[-+\] +get -> 0/)
    expect(transcript).toContain('The state after #1: 1')
  })

  it('rejects a lost write', () => {
    const history = [put('a', 1, 0, 1), put('a', 2, 2, 3), get('b', 1, 4, 5), get('c', 1, 6, 7)]
    expect(resultOf(history)).toBe('not linearizable')
  })

  it('rejects reads that do not repeat', () => {
    // Both reads begin after both writes: whichever write was last, both must see it.
    const writes = [put('a', 1, 0, 10), put('b', 2, 0, 10)]
    const reads = [get('c', 1, 11, 12), get('d', 2, 13, 14)]
    expect(resultOf([...writes, ...reads])).toBe('not linearizable')
    expect(resultOf([...writes, get('c', 1, 11, 12), get('d', 1, 13, 14)])).toBe('linearizable')
  })

  it('shows of a long history what is around the trouble', () => {
    const before = Array.from({ length: 300 }, (_, n) => put('a', n, n, n + 0.5))
    const after = Array.from({ length: 300 }, (_, n) => put('a', n, 400 + n, 400.5 + n))
    const verdict = checkLinearizability(register, [...before, get('b', 7, 350, 351), ...after])
    const transcript = verdict.result === 'not linearizable' ? verdict.transcript : ''
    expect(transcript).toMatch(/\? b +\[-*\] +get -> 7/)
    expect(transcript).toContain('… 260 operations before')
    expect(transcript).toContain('… 281 operations after')
    expect(transcript.split('\n').length).toBeLessThan(70)
  })

  it('refuses an operation that returns before it is called', () => {
    expect(() => resultOf([put('a', 1, 5, 3)])).toThrow('called at 5 and returns at 3')
    expect(() => resultOf([put('a', 1, Number.NaN, 3)])).toThrow(RangeError)
  })

  it('judges every part although one is too hard', () => {
    const hard = Array.from({ length: 30 }, (_, n) => put('a', n + 1, 0, 100, 'hard'))
    const history = [
      ...hard,
      get('b', 99, 101, 102, 'hard'),
      put('c', 1, 0, 1, 'stale'),
      get('d', 0, 2, 3, 'stale'),
    ]
    const verdict = checkLinearizability(register, history, { maxSteps: 1000 })
    expect(verdict).toMatchObject({ result: 'not linearizable', part: 'stale' })
  })

  it('leaves to a hard part what easy ones do not need', () => {
    const easy = Array.from({ length: 99 }, (_, n) => put('a', 1, 0, 1, `easy ${n}`))
    const hard = Array.from({ length: 9 }, (_, n) => put('a', n + 1, 0, 100, 'hard'))
    const history = [...easy, ...hard, get('b', 99, 101, 102, 'hard')]
    // The hard part alone takes some thousands, a hundredth of the limit is too little for it.
    const verdict = checkLinearizability(register, history, { maxSteps: 60_000 })
    expect(verdict).toMatchObject({ result: 'not linearizable', part: 'hard' })
  })

  it('bounds its memory', () => {
    const hard = Array.from({ length: 30 }, (_, n) => put('a', n + 1, 0, 100))
    const history = [...hard, get('b', 99, 101, 102)]
    expect(checkLinearizability(register, history, { maxStates: 100 }).result).toBe('unknown')
  })

  it('says "unknown" when the limit is reached, never "linearizable"', () => {
    const history = Array.from({ length: 12 }, (_, n) => put('a', n + 1, 0, 100))
    const impossible = [...history, get('b', 99, 101, 102)]
    expect(checkLinearizability(register, impossible, { maxSteps: 50 }).result).toBe('unknown')
    expect(checkLinearizability(register, impossible).result).toBe('not linearizable')
  })
})
