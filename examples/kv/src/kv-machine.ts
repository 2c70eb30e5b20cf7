// The application: a map of strings that every node keeps a copy of. This is all that Raft needs to know of it.
import { createHash } from 'node:crypto'
import { defineStateMachine, type NodeStateMachine } from '@raftkit/raft-node'

/** What changes the state. Goes through the log. */
export type Command =
  | { readonly type: 'put'; readonly key: string; readonly value: string }
  | { readonly type: 'delete'; readonly key: string }

/** What a command answers: whether the key was there before, and the command's place in the log. */
export interface Change {
  readonly existed: boolean
  readonly index: number
}

/** What reads the state. Does not go through the log. */
export type Query =
  | { readonly type: 'get'; readonly key: string }
  | { readonly type: 'list'; readonly after: string; readonly limit: number }
  | { readonly type: 'digest' }

/** Keys in order, after a given one. */
export interface Page {
  readonly entries: readonly (readonly [key: string, value: string])[]
  readonly more: boolean
}

/** A fingerprint of the whole state: equal on two nodes that applied the same commands. */
export interface Digest {
  readonly index: number
  readonly keys: number
  readonly sha256: string
}

/** The answer to a query, under the name of its type. */
export interface Answer {
  readonly value?: string
  readonly page?: Page
  readonly digest?: Digest
}

/** A node that runs this application. */
export type KvMachine = NodeStateMachine<Command, Change, Query, Answer>

interface State {
  /** Index of the last command applied. */
  index: number
  values: Map<string, string>
}

const pairsPerSnapshotPart = 500

/** A fresh state machine; every node needs its own. */
export function createKvMachine(): KvMachine {
  return defineStateMachine({
    initial: (): State => ({ index: 0, values: new Map() }),
    parse: commandOf,
    apply: (state, command: Command, { index }): Change => {
      const existed = state.values.has(command.key)
      if (command.type === 'put') state.values.set(command.key, command.value)
      else state.values.delete(command.key)
      state.index = index
      return { existed, index }
    },
    query: (state, query: Query): Answer => {
      switch (query.type) {
        case 'get': {
          const value = state.values.get(query.key)
          return value === undefined ? {} : { value }
        }
        case 'list':
          return { page: pageOf(state, query.after, query.limit) }
        case 'digest':
          return { digest: digestOf(state) }
      }
    },
    // In parts, so that a large state is not encoded in one go: the pairs are strings, which nobody can change.
    snapshot: ({ index, values }) => snapshotParts(index, [...values]),
    restore: async (parts): Promise<State> => {
      const state: State = { index: 0, values: new Map() }
      for await (const part of parts) {
        if (typeof part === 'number') state.index = part
        else for (const [key, value] of part as [string, string][]) state.values.set(key, value)
      }
      return state
    },
  })
}

/** Runs on every node, before a command is applied: what is not a command is refused everywhere alike. */
function commandOf(value: unknown): Command {
  if (typeof value === 'object' && value !== null && 'type' in value && 'key' in value) {
    const { type, key } = value
    if (typeof key === 'string') {
      if (type === 'delete') return { type, key }
      if (type === 'put' && 'value' in value && typeof value.value === 'string')
        return { type, key, value: value.value }
    }
  }
  throw new TypeError('not a command of the key-value store')
}

function pageOf(state: State, after: string, limit: number): Page {
  const keys = [...state.values.keys()].filter((key) => key > after).sort()
  const page = keys.slice(0, limit)
  return {
    entries: page.map((key) => [key, state.values.get(key) ?? ''] as const),
    more: keys.length > page.length,
  }
}

function digestOf(state: State): Digest {
  const hash = createHash('sha256')
  for (const key of [...state.values.keys()].sort())
    hash.update(JSON.stringify([key, state.values.get(key)]))
  return { index: state.index, keys: state.values.size, sha256: hash.digest('hex') }
}

function* snapshotParts(
  index: number,
  pairs: readonly (readonly [string, string])[],
): Generator<unknown> {
  yield index
  for (let at = 0; at < pairs.length; at += pairsPerSnapshotPart)
    yield pairs.slice(at, at + pairsPerSnapshotPart)
}
