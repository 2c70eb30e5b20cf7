// Registers on nodes: the state machine that a user of raft-node would write, its clients, and what must hold of them.
import type { Random } from '@raftkit/interface'
import { defineStateMachine, messagePackCodec, type NodeStateMachine } from '@raftkit/raft-node'
import {
  type Call,
  checkLinearizability,
  type Operation,
  type SequentialModel,
  type Verdict,
  type Workload,
} from '@raftkit/simulator'

/** A write. Values are unique over a run; 0 is "no value". */
export type RegisterCommand =
  | { readonly op: 'put'; readonly key: string; readonly value: number; readonly bytes: number }
  | {
      readonly op: 'cas'
      readonly key: string
      readonly value: number
      readonly expected: number
      readonly bytes: number
    }

export type RegisterInput = RegisterCommand | { readonly op: 'get'; readonly key: string }

/** The value before, and as many bytes as the command asked for: large answers are not kept for retries. */
export interface RegisterAnswer {
  readonly before: number
  readonly rest: string
}

export type RegisterMachine = NodeStateMachine<RegisterCommand, RegisterAnswer, string, number>

export function registers(): RegisterMachine {
  return defineStateMachine({
    initial: () => new Map<string, number>(),
    apply: (state, command: RegisterCommand): RegisterAnswer => {
      const before = state.get(command.key) ?? 0
      if (command.op === 'put' || before === command.expected) state.set(command.key, command.value)
      return { before, rest: 'x'.repeat(command.bytes) }
    },
    query: (state, key: string) => state.get(key) ?? 0,
    snapshot: (state) => [...state],
    restore: async (parts) => {
      const state = new Map<string, number>()
      for await (const [key, value] of parts as AsyncIterable<readonly [string, number]>)
        state.set(key, value)
      return state
    },
  })
}

/** One register per key: what is answered is the value before the call. */
const model: SequentialModel<number, RegisterInput, number> = {
  initial: 0,
  partOf: ({ key }) => key,
  stateKey: String,
  step(state, input, output) {
    if (output !== undefined && output !== state) return undefined
    const isWritten = input.op === 'put' || (input.op === 'cas' && state === input.expected)
    return { state: isWritten ? input.value : state }
  },
  describe: (input, output) =>
    `${JSON.stringify(input)}${output === undefined ? '' : ` -> ${output}`}`,
}

/** Calls per pair of keys before clients go on to the next: the judge's work grows with them. */
const CALLS_PER_PAIR = 32

export function registerWorkload(): Workload<RegisterMachine, RegisterInput, Uint8Array> {
  let calls = 0
  let lastValue = 0
  const recent: number[] = []
  return {
    judge,
    next(random: Random): Call<RegisterMachine, RegisterInput, Uint8Array> {
      const generation = Math.floor(calls++ / CALLS_PER_PAIR)
      const key = `k${generation}${random.next() < 0.5 ? 'a' : 'b'}`
      const kind = random.next()
      // Nodes answer reads by the input; `read` is for clients of a Raft itself.
      if (kind < 0.3)
        return { input: { op: 'get', key }, read: (machine) => machine.encodeQuery(key) }
      const value = ++lastValue
      const expected = recent[Math.floor(random.next() * recent.length)] ?? 0
      const bytes = random.next() < 0.1 ? 300 : 0
      const input: RegisterCommand =
        kind < 0.7 ? { op: 'put', key, value, bytes } : { op: 'cas', key, value, expected, bytes }
      recent.push(value)
      if (recent.length > 3) recent.shift()
      return { input, command: messagePackCodec.encode(input) }
    },
  }
}

/** A number as the answer to a call. */
export function encodeValue(value: number): Uint8Array {
  return messagePackCodec.encode(value)
}

function judge(history: readonly Operation<RegisterInput, Uint8Array>[]): Verdict {
  const values = history.map(({ output, ...operation }) => ({
    ...operation,
    output: output === undefined ? undefined : Number(messagePackCodec.decode(output)),
  }))
  return checkLinearizability(model, values)
}
