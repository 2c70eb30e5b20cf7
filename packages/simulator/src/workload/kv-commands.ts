// The commands of the key-value workload and what they mean, as bytes and as a sequential model.
import type { SequentialModel } from '../linearizability/history.ts'

/** A command or read of the key-value workload. Values are unique over a run; 0 is "no value". */
export type KvInput =
  | { readonly op: 'put'; readonly key: string; readonly value: number }
  | {
      readonly op: 'cas'
      readonly key: string
      readonly value: number
      readonly expected: number
    }
  | { readonly op: 'get'; readonly key: string }

/** What the machine answers: the value before a put, whether a cas succeeded (1 or 0), the value read. */
export type KvOutput = number

const encoder = new TextEncoder()
const decoder = new TextDecoder()

export function encodeCommand(input: Exclude<KvInput, { op: 'get' }>): Uint8Array {
  const expected = input.op === 'cas' ? ` ${input.expected}` : ''
  return encoder.encode(`${input.op} ${input.key} ${input.value}${expected}`)
}

export function decodeCommand(data: Uint8Array): Exclude<KvInput, { op: 'get' }> {
  const [op, key, value, expected] = decoder.decode(data).split(' ')
  if (key === undefined) throw new Error('this is no command of the key-value workload')
  return op === 'cas'
    ? { op, key, value: Number(value), expected: Number(expected) }
    : { op: 'put', key, value: Number(value) }
}

/** One register per key. */
export const kvModel: SequentialModel<number, KvInput, KvOutput> = {
  initial: 0,
  partOf: ({ key }) => key,
  stateKey: String,
  step(state, input, output) {
    switch (input.op) {
      case 'get':
        return output === undefined || output === state ? { state } : undefined
      case 'put':
        return output === undefined || output === state ? { state: input.value } : undefined
      case 'cas': {
        const succeeds = state === input.expected
        if (output !== undefined && (output === 1) !== succeeds) return undefined
        return { state: succeeds ? input.value : state }
      }
    }
  },
  describe(input, output) {
    const answer = output === undefined ? '' : ` -> ${output}`
    if (input.op === 'get') return `get${answer}`
    const expected = input.op === 'cas' ? ` if ${input.expected}` : ''
    return `${input.op} ${input.value}${expected}${answer}`
  },
}
