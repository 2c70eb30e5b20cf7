import { describe, expectTypeOf, it } from 'vitest'
import { defineStateMachine, type NodeStateMachine } from '../src/index.ts'

type Command =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }
type Query = { readonly key: string }

describe('the types of a state machine', () => {
  it('follow from initial, apply and query', () => {
    const machine = defineStateMachine({
      initial: () => new Map<string, string>(),
      apply: (state, command: Command) => {
        expectTypeOf(state).toEqualTypeOf<Map<string, string>>()
        switch (command.type) {
          case 'put':
            state.set(command.key, command.value)
            return 'stored'
          case 'delete':
            return { found: state.delete(command.key) }
        }
      },
      query: (state, query: Query) => state.get(query.key),
    })
    expectTypeOf(machine).toEqualTypeOf<
      NodeStateMachine<Command, 'stored' | { found: boolean }, Query, string | undefined>
    >()
  })

  it('check parse, snapshot and restore', () => {
    defineStateMachine({
      initial: () => ({ sum: 0 }),
      apply: (state, add: number) => (state.sum += add),
      query: (state, _query: null) => state.sum,
      parse: (command) => {
        expectTypeOf(command).toEqualTypeOf<unknown>()
        return 1
      },
      snapshot: (state) => {
        expectTypeOf(state).toEqualTypeOf<{ sum: number }>()
        return [state.sum]
      },
      restore: (parts) => {
        expectTypeOf(parts).toEqualTypeOf<AsyncIterable<unknown>>()
        return { sum: 1 }
      },
    })
  })
})
