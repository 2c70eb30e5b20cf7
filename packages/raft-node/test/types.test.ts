import { describe, expectTypeOf, it } from 'vitest'
import {
  createRaftNode,
  defineStateMachine,
  type NodeStateMachine,
  type RaftNode,
} from '../src/index.ts'

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

describe('the types of a node', () => {
  const machine = defineStateMachine({
    initial: () => ({ count: 0 }),
    apply: (state, command: { readonly add: number }) => (state.count += command.add),
    query: (state, _query: 'count') => ({ count: state.count }),
  })
  const start = () =>
    createRaftNode({ address: 'a:1', peers: ['a:1'], dataDir: 'x', stateMachine: machine })
  type Node = Awaited<ReturnType<typeof start>>

  it('follow from its state machine', () => {
    expectTypeOf<Node>().toEqualTypeOf<
      RaftNode<{ readonly add: number }, number, 'count', { count: number }>
    >()
    expectTypeOf<Node['apply']>().parameter(0).toEqualTypeOf<{ readonly add: number }>()
    expectTypeOf<Node['apply']>().returns.resolves.toEqualTypeOf<number>()
    expectTypeOf<Node['query']>().parameter(0).toEqualTypeOf<'count'>()
    expectTypeOf<Node['query']>().returns.resolves.toEqualTypeOf<{ count: number }>()
  })

  it('let no other command or query through', () => {
    expectTypeOf<Node['apply']>().parameter(0).not.toEqualTypeOf<{ readonly sub: number }>()
    // @ts-expect-error a command of this machine adds
    void ((node: Node) => node.apply({ sub: 1 }))
    // @ts-expect-error the only query is 'count'
    void ((node: Node) => node.query('sum'))
  })
})
