import type { LogEntry, SnapshotWriter, StateMachine } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { defineStateMachine, messagePackCodec, type NodeStateMachine } from '../../src/index.ts'

type Command = { readonly type: 'put'; readonly key: string; readonly value: number }
type Query = { readonly type: 'get'; readonly key: string }

const counters = () =>
  defineStateMachine({
    initial: () => new Map<string, number>(),
    apply: (state, command: Command) => {
      const before = state.get(command.key)
      state.set(command.key, command.value)
      return { before }
    },
    query: (state, query: Query) => state.get(query.key),
  })

const entry = (data: Uint8Array, index = 1): LogEntry => ({ index, term: 1, type: 0, data })

const run = <C, R, Q, A>(machine: NodeStateMachine<C, R, Q, A>, command: C): R =>
  machine.decodeResponse(machine.apply(entry(machine.encodeCommand(command))) as Uint8Array)

const ask = <C, R, Q, A>(machine: NodeStateMachine<C, R, Q, A>, query: Q): A =>
  machine.decodeAnswer(machine.answer(machine.encodeQuery(query)) as Uint8Array)

async function snapshotOf(machine: StateMachine<unknown>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = []
  const writer: SnapshotWriter = {
    write: async (chunk) => void chunks.push(Uint8Array.from(chunk)),
  }
  await (await machine.snapshot()).persist(writer)
  return chunks
}

async function* stream(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks
}

describe('defineStateMachine', () => {
  it('applies commands, gives their responses and answers queries', () => {
    const machine = counters()
    expect(run(machine, { type: 'put', key: 'a', value: 1 })).toEqual({ before: undefined })
    expect(run(machine, { type: 'put', key: 'a', value: 2 })).toEqual({ before: 1 })
    expect(ask(machine, { type: 'get', key: 'a' })).toBe(2)
    expect(ask(machine, { type: 'get', key: 'b' })).toBeUndefined()
  })

  it('tells apply where the command stands', () => {
    const machine = defineStateMachine({
      initial: () => ({}),
      apply: (_state, _command: string, { index, term, appendedAt }) => [index, term, appendedAt],
      query: () => null,
    })
    const bytes = machine.apply({ ...entry(machine.encodeCommand('x'), 7), term: 3, appendedAt: 5 })
    expect(machine.decodeResponse(bytes as Uint8Array)).toEqual([7, 3, 5])
  })

  it('gives copies, so that nobody outside can change the state', () => {
    const machine = defineStateMachine({
      initial: () => ({ list: [1] }),
      apply: (state, _command: null) => state,
      query: (state, _query: null) => state,
    })
    run(machine, null).list.push(2)
    ask(machine, null).list.push(3)
    expect(ask(machine, null)).toEqual({ list: [1] })
  })

  it('keeps a response as it was when the command was applied', async () => {
    const machine = defineStateMachine({
      initial: () => ({ count: 0 }),
      apply: (state, add: number) => {
        state.count += add
        return state
      },
      query: (state, _query: null) => state,
    })
    const first = machine.apply(entry(machine.encodeCommand(1))) as Uint8Array
    await machine.apply(entry(machine.encodeCommand(1)))
    expect(machine.decodeResponse(first)).toEqual({ count: 1 })
  })

  it('answers a command that does not decode with an error and goes on', () => {
    const machine = counters()
    const response = machine.apply(entry(new Uint8Array([0xc1, 0xff]))) as Uint8Array
    expect(() => machine.decodeResponse(response)).toThrow(
      expect.objectContaining({ code: 'RAFT_DECODE_FAILED', outcome: 'not-committed' }),
    )
    expect(run(machine, { type: 'put', key: 'a', value: 1 })).toEqual({ before: undefined })
  })

  it('answers a command that parse refuses with an error, on every server alike', () => {
    const make = () =>
      defineStateMachine({
        initial: () => ({ sum: 0 }),
        parse: (command) => {
          if (typeof command !== 'number') throw new TypeError('a command is a number')
          return command
        },
        apply: (state, add: number) => (state.sum += add),
        query: (state, _query: null) => state.sum,
      })
    const bytes = messagePackCodec.encode('not a number')
    const responses = [make(), make()].map((machine) => machine.apply(entry(bytes)) as Uint8Array)
    expect(responses[0]).toEqual(responses[1])
    expect(() => make().decodeResponse(responses[0]!)).toThrow('a command is a number')
  })

  it('survives a response without encoding: the command took effect', () => {
    const machine = defineStateMachine({
      initial: () => ({ count: 0 }),
      apply: (state, _command: null) => {
        state.count += 1
        return () => 'a function'
      },
      query: (state, _query: null) => state.count,
    })
    expect(() => run(machine, null)).toThrow(
      expect.objectContaining({ code: 'RAFT_STATE_MACHINE_FAILED', outcome: 'committed' }),
    )
    expect(ask(machine, null)).toBe(1)
  })

  it('lets what apply throws stop the server', () => {
    const machine = defineStateMachine({
      initial: () => null,
      apply: (_state, _command: null): string => {
        throw new Error('broken')
      },
      query: () => null,
    })
    expect(() => machine.apply(entry(machine.encodeCommand(null)))).toThrow('broken')
  })

  it('saves and restores the whole state', async () => {
    const machine = counters()
    run(machine, { type: 'put', key: 'a', value: 1 })
    const chunks = await snapshotOf(machine)
    run(machine, { type: 'put', key: 'a', value: 2 })
    const restored = counters()
    run(restored, { type: 'put', key: 'gone', value: 9 })
    await restored.restore(stream(chunks))
    expect(ask(restored, { type: 'get', key: 'a' })).toBe(1)
    expect(ask(restored, { type: 'get', key: 'gone' })).toBeUndefined()
    expect(run(restored, { type: 'put', key: 'a', value: 3 })).toEqual({ before: 1 })
  })

  it('captures the state at the moment of the snapshot', async () => {
    const machine = counters()
    run(machine, { type: 'put', key: 'a', value: 1 })
    const snapshot = await machine.snapshot()
    run(machine, { type: 'put', key: 'a', value: 2 })
    const chunks: Uint8Array[] = []
    await snapshot.persist({ write: async (chunk) => void chunks.push(chunk) })
    const restored = counters()
    await restored.restore(stream(chunks))
    expect(ask(restored, { type: 'get', key: 'a' })).toBe(1)
  })

  it('saves and restores a state in parts', async () => {
    const make = () =>
      defineStateMachine({
        initial: () => new Map<string, number>(),
        apply: (state, [key, value]: readonly [string, number]) => void state.set(key, value),
        query: (state, _query: null) => [...state],
        snapshot: (state) => [...state],
        restore: async (parts) => {
          const state = new Map<string, number>()
          for await (const part of parts) {
            const [key, value] = part as [string, number]
            state.set(key, value)
          }
          return state
        },
      })
    const machine = make()
    for (let i = 0; i < 1000; i += 1) run(machine, [`key-${i}`, i])
    const restored = make()
    await restored.restore(stream(await snapshotOf(machine)))
    expect(ask(restored, null)).toEqual(ask(machine, null))
  })

  it('refuses a snapshot that is cut off, or of another form', async () => {
    const machine = counters()
    run(machine, { type: 'put', key: 'a', value: 1 })
    const bytes = Buffer.concat(await snapshotOf(machine))
    const corrupt = expect.objectContaining({ code: 'RAFT_SNAPSHOT_CORRUPT' }) as Error
    for (let length = 0; length < bytes.byteLength; length += 1)
      await expect(counters().restore(stream([bytes.subarray(0, length)]))).rejects.toEqual(corrupt)
    await expect(counters().restore(stream([bytes, bytes]))).rejects.toEqual(corrupt)
    const garbage = Buffer.concat([Buffer.from([0, 0, 0, 1]), Buffer.from([0x91])])
    await expect(counters().restore(stream([garbage]))).rejects.toEqual(corrupt)
  })

  it('keeps its state when a restore fails', async () => {
    const machine = counters()
    run(machine, { type: 'put', key: 'a', value: 1 })
    await expect(machine.restore(stream([new Uint8Array([0, 0])]))).rejects.toThrow(
      'ends in the middle',
    )
    expect(ask(machine, { type: 'get', key: 'a' })).toBe(1)
  })

  it('uses the codec it is given', () => {
    const json = {
      encode: (value: unknown) => new TextEncoder().encode(JSON.stringify(value)),
      decode: (bytes: Uint8Array) => JSON.parse(new TextDecoder().decode(bytes)) as unknown,
    }
    const machine = defineStateMachine({
      initial: () => ({ sum: 0 }),
      apply: (state, add: number) => (state.sum += add),
      query: (state, _query: null) => state.sum,
      codec: json,
    })
    expect(new TextDecoder().decode(machine.encodeCommand(12))).toBe('12')
    expect(run(machine, 12)).toBe(12)
  })

  it('wants snapshot and restore together', () => {
    const definition = { initial: () => 1, apply: () => 1, query: () => 1 }
    expect(() => defineStateMachine({ ...definition, snapshot: () => [] })).toThrow('restore')
    expect(() => defineStateMachine({ ...definition, restore: () => 1 })).toThrow('snapshot')
  })
})
