import type { LogEntry, StateMachine } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { sessionMachine } from '../../src/sessions/session-machine.ts'
import {
  BatchingMachine,
  CountingMachine,
  inChunks,
  LogScript,
  snapshotOf,
} from './counting-machine.ts'

/** A log with sessions that come, are used in any order, expire, and are evicted; the same for the same seed. */
function script(seed: number): LogEntry[] {
  let state = seed
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  const log = new LogScript()
  const sessions: number[] = []
  return Array.from({ length: 400 }, (_, i) => {
    log.time = random(10) === 0 ? undefined : 1000 + i * 3 - random(40)
    if (sessions.length === 0 || random(20) === 0) {
      const entry = log.register({
        sessionTimeoutMs: 20 + random(200),
        maxSessions: 3,
        maxCachedResponses: 8,
        maxCachedResponseBytes: 20,
      })
      sessions.push(entry.index)
      return entry
    }
    if (random(5) === 0) return log.plain(random(200))
    const session = sessions.at(-1 - random(Math.min(4, sessions.length)))!
    const sequence = 1 + Math.floor(i / 12) + random(9)
    return log.command(session, sequence, random(200), {
      answeredBelow: Math.max(1, sequence - random(9)),
    })
  })
}

async function applyAll(
  machine: StateMachine<Uint8Array>,
  entries: readonly LogEntry[],
): Promise<string[]> {
  const answers: string[] = []
  for (const entry of entries) answers.push(Buffer.from(await machine.apply(entry)).toString('hex'))
  return answers
}

const seeds = Array.from({ length: 20 }, (_, i) => i + 1)

describe('the sessions of a server', () => {
  it.each(seeds)(
    'are the same after a snapshot as without, wherever it is taken: seed %d',
    async (seed) => {
      const entries = script(seed)
      const at = 1 + ((seed * 37) % (entries.length - 1))
      const inner = new CountingMachine()
      inner.responseBytes = 4
      const machine = sessionMachine(inner)
      await applyAll(machine, entries.slice(0, at))
      const bytes = await snapshotOf(machine)

      const restoredInner = new CountingMachine()
      restoredInner.responseBytes = 4
      const restored = sessionMachine(restoredInner)
      await restored.restore(inChunks(bytes, 1 + (seed % 13)))
      expect(restoredInner.applied).toEqual(inner.applied)
      expect(await snapshotOf(restored)).toEqual(bytes)
      const rest = entries.slice(at)
      expect(await applyAll(restored, rest)).toEqual(await applyAll(machine, rest))
      expect(await snapshotOf(restored)).toEqual(await snapshotOf(machine))
    },
  )

  it.each(seeds)('do not depend on how the log is cut into batches: seed %d', async (seed) => {
    const entries = script(seed)
    const [one, other] = [new BatchingMachine(), new BatchingMachine()]
    one.responseBytes = 4
    other.responseBytes = 4
    const single = sessionMachine(one)
    const batched = sessionMachine(other)
    const answers: string[] = []
    for (let at = 0; at < entries.length; at += 1 + (seed % 17)) {
      const batch = entries.slice(at, at + 1 + (seed % 17))
      for (const bytes of await batched.applyBatch!(batch))
        answers.push(Buffer.from(bytes).toString('hex'))
    }
    expect(answers).toEqual(await applyAll(single, entries))
    expect(await snapshotOf(batched)).toEqual(await snapshotOf(single))
  })

  it('run through everything that these logs are for', async () => {
    const marks = new Set<string>()
    for (const seed of seeds) {
      const inner = new CountingMachine()
      inner.responseBytes = 4
      const entries = script(seed)
      const answers = await applyAll(sessionMachine(inner), entries)
      answers.forEach((answer, i) => {
        if (entries[i]!.extensions !== undefined) marks.add(answer.slice(0, 2))
      })
    }
    // Applied, expired, answered, beyond the window, response not kept: see session-response.ts.
    expect([...marks].sort()).toEqual(['00', '01', '02', '03', '04'])
  })
})

describe('the snapshot', () => {
  it('has the bytes of the inner machine alone while there is no session', async () => {
    const machine = sessionMachine(new CountingMachine())
    const log = new LogScript()
    await machine.apply(log.plain(3))
    expect(await snapshotOf(machine)).toEqual(Uint8Array.of(3))
  })

  it('is that of before sessions when it has no table', async () => {
    const inner = new CountingMachine()
    const machine = sessionMachine(inner)
    const log = new LogScript()
    await machine.apply(log.register())
    await machine.restore(inChunks(Uint8Array.of(1, 2, 3), 2))
    expect(inner.applied).toEqual([1, 2, 3])
    expect(await snapshotOf(machine)).toEqual(Uint8Array.of(1, 2, 3))
  })

  it('has the form that is written down', async () => {
    const machine = sessionMachine(new CountingMachine())
    const log = new LogScript()
    await machine.apply(log.register({ maxCachedResponseBytes: 2 }))
    await machine.apply(log.command(1, 1, 9))
    await machine.apply(log.command(1, 2, 8))
    const hex = Buffer.from(await snapshotOf(machine)).toString('hex')
    expect(hex).toBe(
      [
        '524b534553530001', // mark
        '00000000000003e8' + '00000001', // clock, sessions
        '0000000000000001' + '0000000000000005', // id, nonce
        '00000000000003e8' + '0000000000000001', // last active, floor
        '0036ee80' + '00000400' + '00002000' + '00000002' + '00000002', // limits, responses
        '0000000000000001' + '00000002' + '0001', // sequence, length, response
        '0000000000000002' + 'ffffffff', // one that is not kept
        '0908', // the inner machine
      ].join(''),
    )
  })

  it('changes with nothing that is applied while it is written', async () => {
    const machine = sessionMachine(new CountingMachine())
    const log = new LogScript()
    await machine.apply(log.register())
    await machine.apply(log.command(1, 1, 9))
    const before = await snapshotOf(machine)
    const snapshot = await machine.snapshot()
    await machine.apply(log.command(1, 2, 8, { answeredBelow: 2 }))
    await machine.apply(log.register())
    const chunks: Uint8Array[] = []
    await snapshot.persist({ write: async (chunk) => void chunks.push(chunk.slice()) })
    expect(new Uint8Array(Buffer.concat(chunks))).toEqual(before)
  })

  describe('that is damaged', () => {
    const at = (offset: number, ...values: number[]) => {
      return (bytes: Uint8Array): Uint8Array => {
        const changed = bytes.slice()
        changed.set(values, offset)
        return changed
      }
    }

    it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
      ['ends in the header', (bytes) => bytes.subarray(0, 15)],
      ['ends in a session', (bytes) => bytes.subarray(0, 50)],
      ['ends in a response', (bytes) => bytes.subarray(0, 85)],
      ['announces more sessions than it has', at(16, 255, 255, 255, 255)],
      ['has a clock that is no safe integer', at(8, 255)],
      ['was last used in the future', at(36, 1)],
      ['has a floor of nothing', at(51, 0)],
      ['has a timeout of nothing', at(52, 0, 0, 0, 0)],
      ['has a window above the limit', at(60, 255)],
      ['has more responses than its window', at(68, 0, 0, 255, 255)],
      ['has a response below its floor', at(51, 2)],
      ['has a response beyond its window', at(74, 1)],
      ['has a response longer than its limit', at(80, 127)],
    ])('changes nothing: it %s', async (_name, damage) => {
      const source = sessionMachine(new CountingMachine())
      const log = new LogScript()
      await source.apply(log.register())
      await source.apply(log.command(1, 1, 9))
      const damaged = damage(await snapshotOf(source))
      const inner = new CountingMachine()
      const machine = sessionMachine(inner)
      await machine.apply(log.register({}, 8))
      await machine.apply(log.command(3, 1, 7, { nonce: 8 }))
      const before = await snapshotOf(machine)
      await expect(machine.restore(inChunks(damaged, 7))).rejects.toMatchObject({
        code: 'RAFT_SNAPSHOT_CORRUPT',
      })
      expect(await snapshotOf(machine)).toEqual(before)
    })

    it('changes nothing: the inner machine refuses its part', async () => {
      const source = sessionMachine(new CountingMachine())
      const log = new LogScript()
      await source.apply(log.register())
      await source.apply(log.command(1, 1, 255))
      const machine = sessionMachine(new CountingMachine())
      await machine.apply(log.register())
      const before = await snapshotOf(machine)
      const bytes = await snapshotOf(source)
      await expect(machine.restore(inChunks(bytes, 100))).rejects.toThrow('a byte of 255')
      expect(await snapshotOf(machine)).toEqual(before)
    })
  })
})
