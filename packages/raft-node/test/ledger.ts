// The state machine of these tests: a list of texts, to which each command adds one.
import { defineStateMachine, type NodeStateMachine } from '../src/index.ts'

export interface Added {
  readonly position: number
}

export type Ledger = NodeStateMachine<string, Added, 'all' | 'fail', readonly string[]>

export function ledger(): Ledger {
  return defineStateMachine({
    initial: (): string[] => [],
    parse: (command) => {
      if (typeof command !== 'string') throw new TypeError('a command of the ledger is a text')
      return command
    },
    apply: (state, command: string): Added => ({ position: state.push(command) }),
    query: (state, query: 'all' | 'fail'): readonly string[] => {
      if (query === 'fail') throw new Error('asked to fail')
      return state
    },
  })
}
