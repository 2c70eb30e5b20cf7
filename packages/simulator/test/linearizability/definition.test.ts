// The checker against the definition itself: every order of every set of operations that may have happened, tried out.
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkLinearizability, type Operation, type SequentialModel } from '@raftkit/simulator'

interface Input {
  readonly key: string
  readonly op: 'get' | 'put' | 'cas' | 'add'
  readonly value: number
  readonly expected: number
}

/** Registers with values 0 to 2: few values make many histories that are almost right. */
const registers: SequentialModel<number, Input, number> = {
  initial: 0,
  partOf: ({ key }) => key,
  step(state, { op, value, expected }, output) {
    const [next, answer] = after(state, op, value, expected)
    return output === undefined || output === answer ? { state: next } : undefined
  },
}

function after(
  state: number,
  op: Input['op'],
  value: number,
  expected: number,
): readonly [state: number, answer: number] {
  if (op === 'get') return [state, state]
  if (op === 'put') return [value, state]
  if (op === 'add') return [(state + value) % 3, (state + value) % 3]
  return state === expected ? [value, 1] : [state, 0]
}

type History = readonly Operation<Input, number>[]

/** Some order of all operations of known outcome, and some of the others, is sequential and keeps to real time. */
function isLinearizable(history: History): boolean {
  const known = history.filter(({ returnedAt }) => returnedAt !== undefined)
  const unknown = history.filter(({ returnedAt }) => returnedAt === undefined)
  return subsetsOf(unknown).some((happened) =>
    permutationsOf([...known, ...happened]).some(
      (order) => keepsToRealTime(order) && isSequential(order),
    ),
  )
}

function subsetsOf(items: History): readonly History[] {
  const [first, ...rest] = items
  if (first === undefined) return [[]]
  return subsetsOf(rest).flatMap((subset) => [subset, [first, ...subset]])
}

function permutationsOf(items: History): readonly History[] {
  if (items.length === 0) return [[]]
  return items.flatMap((item) =>
    permutationsOf(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  )
}

function keepsToRealTime(order: History): boolean {
  return order.every((earlier, place) =>
    order.slice(place + 1).every((later) => !((later.returnedAt ?? Infinity) < earlier.calledAt)),
  )
}

function isSequential(order: History): boolean {
  const states = new Map<string, number>()
  return order.every(({ input, output }) => {
    const { key, op, value, expected } = input
    const [next, answer] = after(states.get(key) ?? 0, op, value, expected)
    states.set(key, next)
    return output === undefined || output === answer
  })
}

const operation: fc.Arbitrary<Operation<Input, number>> = fc
  .record({
    client: fc.constantFrom('a', 'b', 'c'),
    input: fc.record({
      key: fc.constantFrom('x', 'x', 'y'),
      op: fc.constantFrom('get' as const, 'put' as const, 'cas' as const, 'add' as const),
      value: fc.integer({ min: 0, max: 2 }),
      expected: fc.integer({ min: 0, max: 2 }),
    }),
    calledAt: fc.integer({ min: 0, max: 12 }),
    tookMs: fc.integer({ min: 0, max: 5 }),
    isKnown: fc.integer({ min: 0, max: 3 }).map((draw) => draw > 0),
    output: fc.integer({ min: 0, max: 2 }),
  })
  .map(({ client, input, calledAt, tookMs, isKnown, output }) => ({
    client,
    input,
    calledAt,
    returnedAt: isKnown ? calledAt + tookMs : undefined,
    output: isKnown ? output : undefined,
  }))

/** Histories that some run of the registers gave, with one answer changed in half of them: these are hard to judge. */
const almostRight = fc
  .record({
    operations: fc.array(operation, { minLength: 2, maxLength: 5 }),
    points: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 5, maxLength: 5 }),
    change: fc.option(fc.tuple(fc.nat(4), fc.integer({ min: 0, max: 2 }))),
  })
  .map(({ operations, points, change }): History => {
    const takesEffectAt = (place: number): number => {
      const { calledAt, returnedAt = calledAt + 6 } = operations[place]!
      return calledAt + (returnedAt - calledAt) * points[place]!
    }
    const order = [...operations.keys()].sort((a, b) => takesEffectAt(a) - takesEffectAt(b))
    const states = new Map<string, number>()
    const answers = new Map<number, number>()
    for (const place of order) {
      const { key, op, value, expected } = operations[place]!.input
      const [next, answer] = after(states.get(key) ?? 0, op, value, expected)
      states.set(key, next)
      answers.set(place, answer)
    }
    return operations.map((each, place) => {
      if (each.returnedAt === undefined) return each
      const isChanged = change !== null && change[0] === place
      return { ...each, output: isChanged ? change[1] : answers.get(place) }
    })
  })

describe('checkLinearizability agrees with the definition', () => {
  it.each([
    ['random histories', fc.array(operation, { minLength: 1, maxLength: 5 })],
    ['histories that are almost right', almostRight],
  ])('on %s', (_, histories) => {
    const verdicts = { linearizable: 0, 'not linearizable': 0, unknown: 0 }
    fc.assert(
      fc.property(histories, (history) => {
        const { result } = checkLinearizability(registers, history)
        verdicts[result]++
        expect(result).toBe(isLinearizable(history) ? 'linearizable' : 'not linearizable')
      }),
      { seed: 11, numRuns: 1500 },
    )
    // Both answers came often enough to mean something.
    expect(verdicts.unknown).toBe(0)
    expect(verdicts.linearizable).toBeGreaterThan(100)
    expect(verdicts['not linearizable']).toBeGreaterThan(100)
  })
})
