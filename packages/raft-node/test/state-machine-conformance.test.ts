import { testStateMachine } from '@raftkit/conformance'
import { describe, it } from 'vitest'
import { defineStateMachine, sessionMachine } from '../src/index.ts'

type Command = { readonly key: string; readonly add: number }

const definition = {
  initial: () => new Map<string, number>(),
  apply: (state: Map<string, number>, { key, add }: Command) => {
    const next = (state.get(key) ?? 0) + add
    state.set(key, next)
    return next
  },
  query: (state: Map<string, number>, key: string) => state.get(key) ?? 0,
}

const whole = () => defineStateMachine(definition)

const inParts = () =>
  defineStateMachine({
    ...definition,
    snapshot: (state) => [...state].map(([key, value]) => ({ key, value })),
    restore: async (parts) => {
      const state = new Map<string, number>()
      for await (const part of parts) {
        const { key, value } = part as { readonly key: string; readonly value: number }
        state.set(key, value)
      }
      return state
    },
  })

const withSessions = () => sessionMachine(whole())

const commands = Array.from({ length: 12 }, (_, i) => ({ key: `key ${i % 5}`, add: i * 1000 }))

// A snapshot that ends between two parts may be whole: stores and transports see to it that it is.
for (const [name, open, detectsTruncation] of [
  ['a state machine that is snapshot as a whole', whole, true],
  ['a state machine that is snapshot in parts', inParts, false],
  ['a state machine with sessions', withSessions, true],
] as const)
  testStateMachine({
    runner: { describe, it },
    name,
    supports: { canonicalSnapshots: true, detectsTruncation, applyBatch: false },
    open,
    commands: commands.map(whole().encodeCommand),
  })
