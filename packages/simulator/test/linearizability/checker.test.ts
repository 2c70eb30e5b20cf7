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

  it('says "unknown" when the limit is reached, never "linearizable"', () => {
    const history = Array.from({ length: 12 }, (_, n) => put('a', n + 1, 0, 100))
    const impossible = [...history, get('b', 99, 101, 102)]
    expect(checkLinearizability(register, impossible, { maxSteps: 50 }).result).toBe('unknown')
    expect(checkLinearizability(register, impossible).result).toBe('not linearizable')
  })

  it('agrees with trying every order', () => {
    let state = 1
    const draw = (most: number): number => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 16) % most
    }
    const verdicts = new Set<string>()
    for (let round = 0; round < 3000; round++) {
      const history = Array.from({ length: 2 + draw(4) }, (_, n) => {
        const calledAt = draw(8)
        const returnedAt = calledAt + 1 + draw(6)
        if (draw(2) === 0) return get(`c${n}`, draw(3), calledAt, returnedAt)
        return put(`c${n}`, 1 + draw(2), calledAt, draw(4) === 0 ? undefined : returnedAt)
      })
      const result = resultOf(history)
      verdicts.add(result)
      expect(result).toBe(someOrderExplains(history) ? 'linearizable' : 'not linearizable')
    }
    expect(verdicts.size).toBe(2)
  })
})

/** Linearizability by its definition: for every set of unknown operations that happened, try every order. */
function someOrderExplains(history: readonly Operation<Input, number>[]): boolean {
  const place = (done: ReadonlySet<Operation<Input, number>>, state: number): boolean => {
    const rest = history.filter((operation) => !done.has(operation))
    if (rest.every(({ returnedAt }) => returnedAt === undefined)) return true
    return rest.some((operation) => {
      const mustBeLater = rest.some(
        ({ returnedAt }) => returnedAt !== undefined && returnedAt < operation.calledAt,
      )
      if (mustBeLater) return false
      const next = register.step(state, operation.input, operation.output)
      return next !== undefined && place(new Set([...done, operation]), next.state)
    })
  }
  return place(new Set(), 0)
}
