import { RaftError, type LogEntry, type StateMachine } from '@raftkit/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import { sessionMachine } from '../../src/sessions/session-machine.ts'
import { openSessionResponse } from '../../src/sessions/session-response.ts'
import { BatchingMachine, CountingMachine, LogScript } from './counting-machine.ts'

let inner: CountingMachine
let machine: StateMachine<Uint8Array>
let log: LogScript

beforeEach(() => {
  inner = new CountingMachine()
  machine = sessionMachine(inner)
  log = new LogScript()
})

/** What a command is answered with: the count, or the code of the refusal. */
async function answerTo(entry: LogEntry): Promise<number | string> {
  return read(await machine.apply(entry))
}

function read(bytes: Uint8Array): number | string {
  try {
    return openSessionResponse(bytes)[0]!
  } catch (error) {
    if (!RaftError.is(error)) throw error
    return `${error.code} ${error.outcome}`
  }
}

async function opened(...options: Parameters<LogScript['register']>): Promise<number> {
  const entry = log.register(...options)
  const id = openSessionResponse(await machine.apply(entry))
  expect(Buffer.from(id).readBigUInt64BE()).toBe(BigInt(entry.index))
  return entry.index
}

const expired = 'RAFT_SESSION_EXPIRED unknown'

describe('a session', () => {
  it('has each of its commands applied once, and answers a repeated one with the same', async () => {
    const id = await opened()
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
    expect(await answerTo(log.command(id, 2, 20))).toBe(2)
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
    expect(await answerTo(log.command(id, 2, 20))).toBe(2)
    expect(inner.applied).toEqual([10, 20])
  })

  it('keeps its responses to itself', async () => {
    const id = await opened()
    const first = openSessionResponse(await machine.apply(log.command(id, 1, 10)))
    first.fill(99)
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
  })

  it('takes its commands in any order within the window', async () => {
    const id = await opened()
    expect(await answerTo(log.command(id, 3, 30))).toBe(1)
    expect(await answerTo(log.command(id, 1, 10))).toBe(2)
    expect(await answerTo(log.command(id, 3, 30))).toBe(1)
    expect(await answerTo(log.command(id, 2, 20, { answeredBelow: 2 }))).toBe(3)
    expect(await answerTo(log.command(id, 3, 30, { answeredBelow: 2 }))).toBe(1)
    expect(inner.applied).toEqual([30, 10, 20])
  })

  it('never applies what its client waits for no more, whether it was applied or not', async () => {
    const id = await opened()
    await machine.apply(log.command(id, 1, 10))
    await machine.apply(log.command(id, 4, 40, { answeredBelow: 3 }))
    for (const sequence of [1, 2])
      expect(await answerTo(log.command(id, sequence, 99))).toBe('RAFT_SESSION_SEQUENCE unknown')
    expect(await answerTo(log.command(id, 3, 30, { answeredBelow: 2 }))).toBe(3)
    expect(inner.applied).toEqual([10, 40, 30])
  })

  it('refuses a command beyond its window, and stays as it was', async () => {
    const id = await opened({ maxCachedResponses: 3 })
    await machine.apply(log.command(id, 1, 10))
    const beyond = 'RAFT_SESSION_SEQUENCE not-committed'
    expect(await answerTo(log.command(id, 4, 99))).toBe(beyond)
    expect(await answerTo(log.command(id, 9, 99, { answeredBelow: 6 }))).toBe(beyond)
    expect(await answerTo(log.command(id, 3, 30))).toBe(2)
    expect(await answerTo(log.command(id, 4, 40, { answeredBelow: 2 }))).toBe(3)
    expect(await answerTo(log.command(id, 3, 30))).toBe(2)
  })

  it('jumps far ahead at no cost', async () => {
    const id = await opened()
    await machine.apply(log.command(id, 1, 10))
    const far = Number.MAX_SAFE_INTEGER - 1
    expect(await answerTo(log.command(id, far, 20, { answeredBelow: far }))).toBe(2)
    expect(await answerTo(log.command(id, far, 20, { answeredBelow: far }))).toBe(2)
  })

  it('says that a command took effect when its response was not kept', async () => {
    inner.responseBytes = 9
    const id = await opened({ maxCachedResponseBytes: 25 })
    await machine.apply(log.command(id, 1, 10))
    await machine.apply(log.command(id, 2, 20))
    expect(await answerTo(log.command(id, 3, 30))).toBe(3)
    expect(await answerTo(log.command(id, 3, 30))).toBe('RAFT_LIMIT_EXCEEDED committed')
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
    // An answered command makes room.
    expect(await answerTo(log.command(id, 4, 40, { answeredBelow: 2 }))).toBe(4)
    expect(await answerTo(log.command(id, 4, 40, { answeredBelow: 2 }))).toBe(4)
    expect(inner.applied).toEqual([10, 20, 30, 40])
  })

  it('is not that of another client with the same index', async () => {
    const id = await opened({}, 5)
    await machine.apply(log.command(id, 1, 10))
    expect(await answerTo(log.command(id, 1, 99, { nonce: 6 }))).toBe(expired)
    expect(inner.applied).toEqual([10])
  })

  it.each<[string, (id: number) => LogEntry]>([
    ['unknown', (id) => log.command(id + 1000, 1, 99)],
    ['of another version', () => log.malformed()],
  ])('applies nothing when it is %s', async (_name, entry) => {
    const id = await opened()
    await machine.apply(log.command(id, 1, 10))
    expect(await answerTo(entry(id))).toMatch(/^RAFT_(SESSION_EXPIRED|DECODE_FAILED) /)
    expect(inner.applied).toEqual([10])
  })
})

describe('session time', () => {
  const timeout = { sessionTimeoutMs: 100 }

  it('ends a session that was unused for longer than its timeout', async () => {
    const id = await opened(timeout)
    await machine.apply(log.command(id, 1, 10))
    log.time = 1100
    expect(await answerTo(log.command(id, 2, 20))).toBe(2)
    log.time = 1201
    expect(await answerTo(log.command(id, 1, 10))).toBe(expired)
    expect(await answerTo(log.command(id, 3, 30))).toBe(expired)
    expect(inner.applied).toEqual([10, 20])
  })

  it('passes with every command, of a session or not', async () => {
    const id = await opened(timeout)
    log.time = 1101
    await machine.apply(log.plain(1))
    log.time = 1000
    expect(await answerTo(log.command(id, 1, 10))).toBe(expired)
  })

  it('never goes back, when another leader has another clock', async () => {
    const id = await opened(timeout)
    log.time = 1080
    const other = await opened(timeout)
    log.time = 500
    expect(await answerTo(log.command(other, 1, 10))).toBe(1)
    log.time = 1090
    expect(await answerTo(log.command(id, 1, 20))).toBe(2)
    log.time = 1181
    expect(await answerTo(log.command(other, 2, 30))).toBe(expired)
    expect(await answerTo(log.command(id, 2, 40))).toBe(3)
  })

  it('stands still while entries carry none', async () => {
    log.time = undefined
    const id = await opened({ sessionTimeoutMs: 1 })
    for (let i = 1; i < 5; i += 1) expect(await answerTo(log.command(id, i, i))).toBe(i)
    log.time = Number.NaN
    expect(await answerTo(log.command(id, 5, 5))).toBe(5)
  })

  it('ends a short session although an older one goes on', async () => {
    const long = await opened({ sessionTimeoutMs: 10_000 })
    const short = await opened(timeout)
    log.time = 1101
    expect(await answerTo(log.command(short, 1, 10))).toBe(expired)
    expect(await answerTo(log.command(long, 1, 20))).toBe(1)
  })

  it('ends the session that was unused longest when there are too many', async () => {
    const first = await opened({ maxSessions: 2 })
    const second = await opened({ maxSessions: 2 })
    await machine.apply(log.command(first, 1, 10))
    const third = await opened({ maxSessions: 2 })
    expect(await answerTo(log.command(second, 1, 99))).toBe(expired)
    expect(await answerTo(log.command(first, 1, 99))).toBe(1)
    expect(await answerTo(log.command(third, 1, 30))).toBe(2)
  })
})

describe('a log of before sessions', () => {
  it('passes through, entries and responses as they are', async () => {
    const entries = [log.plain(1), log.plain(2)]
    const seen: LogEntry[] = []
    const own = Uint8Array.of(7)
    machine = sessionMachine({
      apply: (entry) => {
        seen.push(entry)
        return own
      },
      snapshot: () => inner.snapshot(),
      restore: (state) => inner.restore(state),
    })
    for (const entry of entries) expect(await machine.apply(entry)).toBe(own)
    expect(seen).toEqual(entries)
    expect(seen[0]).toBe(entries[0])
  })

  it('may hold extensions of the application', async () => {
    const extensions = new TextEncoder().encode('mine')
    expect(await machine.apply({ ...log.plain(1), extensions })).toEqual(Uint8Array.of(1))
  })
})

describe('the calls of the inner machine', () => {
  it('are those it has', () => {
    expect(Reflect.get(sessionMachine(inner), 'applyBatch')).toBeUndefined()
    expect(Reflect.get(sessionMachine(inner), 'storeConfiguration')).toBeUndefined()
    const told: number[] = []
    const full = sessionMachine(
      Object.assign(new BatchingMachine(), {
        storeConfiguration: (index: number) => void told.push(index),
      }),
    )
    expect(Reflect.get(full, 'applyBatch')).toBeDefined()
    void full.storeConfiguration?.(4, { servers: [] })
    expect(told).toEqual([4])
  })

  it('may take their time', async () => {
    machine = sessionMachine({
      apply: async (entry) => inner.apply(entry),
      snapshot: () => inner.snapshot(),
      restore: (state) => inner.restore(state),
    })
    const id = await opened()
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
    expect(await answerTo(log.command(id, 1, 10))).toBe(1)
  })
})

describe('batches', () => {
  it('answer a command that comes twice in one, and hand it on once', async () => {
    const batching = new BatchingMachine()
    machine = sessionMachine(batching)
    const responses = await machine.applyBatch!([
      log.register(),
      log.command(1, 1, 10),
      log.plain(20),
      log.command(1, 1, 10),
      log.command(1, 2, 30, { answeredBelow: 2 }),
      log.command(1, 1, 10),
    ])
    expect(responses.slice(1).map((bytes, i) => (i === 1 ? bytes[0] : read(bytes)))).toEqual([
      1,
      2,
      1,
      3,
      'RAFT_SESSION_SEQUENCE unknown',
    ])
    expect(batching.applied).toEqual([10, 20, 30])
    expect(batching.batches).toEqual([3])
  })

  it('that hold nothing new do not reach the inner machine', async () => {
    const batching = new BatchingMachine()
    machine = sessionMachine(batching)
    await machine.applyBatch!([log.register(), log.command(1, 1, 10)])
    await machine.applyBatch!([log.command(1, 1, 10), log.command(1, 1, 10)])
    expect(batching.batches).toEqual([1])
  })

  it('notice an inner machine that answers another number of commands', () => {
    const broken = new BatchingMachine()
    broken.applyBatch = () => []
    expect(() => sessionMachine(broken).applyBatch!([log.plain(1)])).toThrow('0 responses for 1')
  })
})
