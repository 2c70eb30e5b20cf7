import { describe, expect, it } from 'vitest'
import {
  createKvMachine,
  type Answer,
  type Change,
  type Command,
  type KvMachine,
  type Query,
} from '../src/kv-machine.ts'

let index = 0

async function run(machine: KvMachine, command: Command): Promise<Change> {
  index += 1
  const data = machine.encodeCommand(command)
  return machine.decodeResponse(await machine.apply({ index, term: 1, type: 0, data }))
}

async function ask(machine: KvMachine, query: Query): Promise<Answer> {
  return machine.decodeAnswer(await machine.answer(machine.encodeQuery(query)))
}

async function copyOf(machine: KvMachine): Promise<KvMachine> {
  const chunks: Uint8Array[] = []
  const snapshot = await machine.snapshot()
  await run(machine, { type: 'put', key: 'after the snapshot', value: 'x' })
  await snapshot.persist({ write: async (chunk) => void chunks.push(chunk) })
  const copy = createKvMachine()
  await copy.restore(
    (async function* () {
      yield* chunks
    })(),
  )
  return copy
}

describe('the key-value machine', () => {
  it('puts, gets and deletes', async () => {
    const machine = createKvMachine()
    expect(await run(machine, { type: 'put', key: 'a', value: '1' })).toMatchObject({
      existed: false,
    })
    expect(await run(machine, { type: 'put', key: 'a', value: '2' })).toMatchObject({
      existed: true,
    })
    expect(await ask(machine, { type: 'get', key: 'a' })).toEqual({ value: '2' })
    expect(await run(machine, { type: 'delete', key: 'a' })).toMatchObject({ existed: true })
    expect(await ask(machine, { type: 'get', key: 'a' })).toEqual({})
  })

  it('lists keys in order, page by page', async () => {
    const machine = createKvMachine()
    for (const key of ['c', 'a', 'b']) await run(machine, { type: 'put', key, value: key })
    expect(await ask(machine, { type: 'list', after: '', limit: 2 })).toEqual({
      page: {
        entries: [
          ['a', 'a'],
          ['b', 'b'],
        ],
        more: true,
      },
    })
    expect(await ask(machine, { type: 'list', after: 'b', limit: 2 })).toEqual({
      page: { entries: [['c', 'c']], more: false },
    })
  })

  it('has a digest that tells states apart', async () => {
    const [one, two] = [createKvMachine(), createKvMachine()]
    await run(one, { type: 'put', key: 'a', value: '1' })
    await run(two, { type: 'put', key: 'a', value: '2' })
    const [first, second] = [await ask(one, { type: 'digest' }), await ask(two, { type: 'digest' })]
    expect(first.digest?.sha256).not.toBe(second.digest?.sha256)
    expect(first.digest).toMatchObject({ keys: 1, index: index - 1 })
  })

  it('is restored as it was at the snapshot', async () => {
    const machine = createKvMachine()
    for (let i = 0; i < 1200; i += 1)
      await run(machine, { type: 'put', key: `k${i}`, value: `v${i}` })
    const before = await ask(machine, { type: 'digest' })
    const copy = await copyOf(machine)
    expect(await ask(copy, { type: 'digest' })).toEqual(before)
    expect(await ask(machine, { type: 'digest' })).not.toEqual(before)
  })

  it('refuses what is not a command', async () => {
    const machine = createKvMachine()
    for (const wrong of [
      null,
      'put',
      { type: 'put', key: 'a' },
      { type: 'drop', key: 'a' },
      { type: 'put', key: 1, value: 'x' },
    ])
      await expect(run(machine, wrong as Command)).rejects.toMatchObject({
        code: 'RAFT_DECODE_FAILED',
      })
  })
})
