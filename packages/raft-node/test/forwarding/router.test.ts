import { RaftError, silentLogger } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { Deadline } from '../../src/deadline.ts'
import { DEFAULT_FORWARD_LIMITS } from '../../src/forwarding/forward-lane.ts'
import type { ForwardKind } from '../../src/forwarding/forward-message.ts'
import { LeaderService } from '../../src/forwarding/leader-service.ts'
import { Router } from '../../src/forwarding/router.ts'
import { encodeSessionHeader } from '../../src/sessions/session-header.ts'
import { CountingClock } from '../clock-of.ts'
import { FakeRaft } from '../fake-raft.ts'

const elsewhere = { id: 'b', address: 'b:1' }
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const after = (timeoutMs: number, signal?: AbortSignal): Deadline =>
  new Deadline({ timeoutMs, ...(signal !== undefined && { signal }) }, timeoutMs)

function setUp() {
  const raft = new FakeRaft()
  const service = new LeaderService(() => raft, { answer: (query) => query }, silentLogger)
  return { raft, router: new Router(raft, service) }
}

describe('Router', () => {
  it('runs a request here when this server leads', async () => {
    const { raft, router } = setUp()
    raft.lead(1)
    expect(await router.route('command', bytes(1), after(1000))).toEqual(bytes(1))
    expect(raft.applied).toEqual([1])
  })

  it('forwards it when another one leads', async () => {
    const { raft, router } = setUp()
    raft.follow(elsewhere)
    expect(await router.route('command', bytes(1), after(1000))).toEqual(bytes(1))
    expect(raft.applied).toEqual([])
  })

  it('waits for a leader when none is known', async () => {
    const { raft, router } = setUp()
    const answer = router.route('command', bytes(1), after(5000))
    await new Promise((resolve) => setImmediate(resolve))
    raft.follow(elsewhere)
    expect(await answer).toEqual(bytes(1))
    expect(raft.listenerCount('leader-changed')).toBe(1)
  })

  it('says at the deadline that there is no leader, and that nothing happened', async () => {
    const { router } = setUp()
    await expect(router.route('command', bytes(1), after(20))).rejects.toMatchObject({
      code: 'RAFT_NO_LEADER',
      outcome: 'not-committed',
      retryable: true,
    })
  })

  it('tries a command again when it certainly did not take effect', async () => {
    const { raft, router } = setUp()
    raft.follow(elsewhere)
    let attempts = 0
    raft.onForwarded = async (body) => {
      attempts += 1
      if (attempts > 3) return { ok: true, body }
      return {
        ok: false,
        error: new RaftError('RAFT_NOT_LEADER', 'not me', {
          retryable: true,
          outcome: 'not-committed',
        }),
      }
    }
    expect(await router.route('command', bytes(1), after(5000))).toEqual(bytes(1))
    expect(attempts).toBe(4)
  })

  it.each([
    ['its answer was lost', new RaftError('RAFT_CONNECTION_LOST', 'x')],
    [
      'the leader lost leadership',
      new RaftError('RAFT_LEADERSHIP_LOST', 'x', { retryable: true, outcome: 'unknown' }),
    ],
    [
      'it was refused for good',
      new RaftError('RAFT_COMMAND_TOO_LARGE', 'x', { outcome: 'not-committed' }),
    ],
  ])('sends a command once when %s', async (_name, error) => {
    const { raft, router } = setUp()
    raft.follow(elsewhere)
    let attempts = 0
    raft.onForwarded = async () => {
      attempts += 1
      return { ok: false, error }
    }
    await expect(router.route('command', bytes(1), after(500))).rejects.toMatchObject({
      code: error.code,
      outcome: error.outcome,
    })
    expect(attempts).toBe(1)
  })

  it.each<ForwardKind>(['query', 'read-index'])(
    'tries a %s again when its answer was lost',
    async (kind) => {
      const { raft, router } = setUp()
      raft.follow(elsewhere)
      let attempts = 0
      raft.forwardToLeader = async () => {
        attempts += 1
        if (attempts === 1) raft.lead(2)
        throw new RaftError('RAFT_CONNECTION_LOST', 'x')
      }
      expect((await router.route(kind, bytes(5), after(5000))).byteLength).toBeGreaterThan(0)
      expect(attempts).toBe(1)
    },
  )

  describe('with a command of a session', () => {
    const request = (): Uint8Array => new Uint8Array([...header, 9])
    const header = encodeSessionHeader({
      type: 'command',
      session: 1,
      nonce: 2,
      sequence: 3,
      answeredBelow: 1,
    })

    it.each([
      ['its answer was lost', new RaftError('RAFT_CONNECTION_LOST', 'x')],
      ['its answer took too long', new RaftError('RAFT_RPC_TIMEOUT', 'x')],
      [
        'the leader lost leadership',
        new RaftError('RAFT_LEADERSHIP_LOST', 'x', { outcome: 'unknown' }),
      ],
      ['the leader was shut down', new RaftError('RAFT_SHUTDOWN', 'x', { outcome: 'unknown' })],
      ['the disk of the leader failed', new RaftError('RAFT_STORE_FAILED', 'x')],
    ])('sends the same again when %s', async (_name, error) => {
      const { raft, router } = setUp()
      raft.follow(elsewhere)
      const bodies: Uint8Array[] = []
      raft.onForwarded = async (body) => {
        bodies.push(body)
        return bodies.length < 3 ? { ok: false, error } : { ok: true, body: bytes(4) }
      }
      const delivery = { isUncertain: false }
      const answer = router.route('session-command', request(), after(5000), delivery)
      expect(await answer).toEqual(bytes(4))
      expect(bodies).toEqual([request(), request(), request()])
      expect(delivery.isUncertain).toBe(true)
    })

    it('runs it here with its header beside it when this server leads', async () => {
      const { raft, router } = setUp()
      raft.lead(1)
      await router.route('session-command', request(), after(1000))
      expect(raft.entries).toEqual([{ data: bytes(9), extensions: header }])
    })

    it('does not say that nothing happened when an earlier attempt is open', async () => {
      const { raft, router } = setUp()
      raft.follow(elsewhere)
      raft.onForwarded = async () => {
        raft.leader = undefined
        return { ok: false, error: new RaftError('RAFT_LEADERSHIP_LOST', 'x') }
      }
      await expect(router.route('session-command', request(), after(40))).rejects.toMatchObject({
        code: 'RAFT_NO_LEADER',
        outcome: 'unknown',
        retryable: false,
      })
    })

    it('still says that nothing happened when no attempt went through', async () => {
      const { router } = setUp()
      await expect(router.route('session-command', request(), after(20))).rejects.toMatchObject({
        code: 'RAFT_NO_LEADER',
        outcome: 'not-committed',
      })
    })

    it('gives up when this server itself has stopped', async () => {
      const { raft, router } = setUp()
      raft.state = 'stopped'
      raft.onApply = () => Promise.reject(new RaftError('RAFT_SHUTDOWN', 'x'))
      await expect(router.route('session-command', request(), after(5000))).rejects.toMatchObject({
        code: 'RAFT_SHUTDOWN',
      })
    })

    it('gives up when the state machine refused to go on', async () => {
      const { raft, router } = setUp()
      raft.follow(elsewhere)
      let attempts = 0
      raft.onForwarded = async () => {
        attempts += 1
        return { ok: false, error: new RaftError('RAFT_STATE_MACHINE_FAILED', 'x') }
      }
      await expect(router.route('session-command', request(), after(5000))).rejects.toMatchObject({
        code: 'RAFT_STATE_MACHINE_FAILED',
      })
      expect(attempts).toBe(1)
    })

    it('is refused without a header', async () => {
      const { raft, router } = setUp()
      raft.lead(1)
      await expect(
        router.route('session-command', bytes(1, 2, 3), after(1000)),
      ).rejects.toMatchObject({ code: 'RAFT_DECODE_FAILED', outcome: 'not-committed' })
      expect(raft.entries).toEqual([])
    })
  })

  it('does not repeat a query that failed', async () => {
    const raft = new FakeRaft()
    let asked = 0
    const answer = (): never => {
      asked += 1
      throw new Error('no such table')
    }
    const router = new Router(raft, new LeaderService(() => raft, { answer }, silentLogger))
    raft.lead(1)
    await expect(router.route('query', bytes(1), after(1000))).rejects.toMatchObject({
      code: 'RAFT_READ_FAILED',
      message: expect.stringContaining('no such table') as string,
    })
    expect(asked).toBe(1)
  })

  it('passes on what the leader says at the deadline', async () => {
    const { raft, router } = setUp()
    raft.follow(elsewhere)
    raft.onForwarded = async () => ({
      ok: false,
      error: new RaftError('RAFT_OVERLOADED', 'x', { retryable: true, outcome: 'not-committed' }),
    })
    await expect(router.route('command', bytes(1), after(30))).rejects.toMatchObject({
      code: 'RAFT_OVERLOADED',
      outcome: 'not-committed',
    })
  })

  it('does not let messages to a silent old leader hold up those to the new one', async () => {
    const { raft, router } = setUp()
    raft.follow(elsewhere)
    const answering = raft.forwardToLeader
    raft.forwardToLeader = () => new Promise(() => {})
    const lost: Promise<unknown>[] = []
    for (let i = 0; i < DEFAULT_FORWARD_LIMITS.maxInflightForwards; i += 1) {
      lost.push(router.route('command', bytes(i), after(60_000)))
      lost.push(router.route('query', bytes(i), after(60_000)))
      await new Promise((resolve) => setImmediate(resolve))
    }
    const settled = Promise.allSettled(lost)
    raft.forwardToLeader = answering
    const waiting = [
      router.route('command', bytes(8), after(60_000)),
      router.route('query', bytes(9), after(60_000)),
    ]
    raft.follow({ id: 'c', address: 'c:1' }, 2)
    expect(await Promise.all(waiting)).toEqual([bytes(8), bytes(9)])
    router.close(new RaftError('RAFT_SHUTDOWN', 'stopping'))
    expect(new Set((await settled).map(({ status }) => status))).toEqual(new Set(['rejected']))
  })

  it('stops waiting when the caller gives up', async () => {
    const { router } = setUp()
    const abort = new AbortController()
    const answer = router.route('command', bytes(1), after(60_000, abort.signal))
    abort.abort('enough')
    await expect(answer).rejects.toMatchObject({
      code: 'RAFT_ABORTED',
      outcome: 'not-committed',
      cause: 'enough',
    })
  })

  it('leaves no timer behind when it is closed', async () => {
    const { router } = setUp()
    const clock = new CountingClock()
    const waiting = router.route('command', bytes(1), new Deadline(undefined, 60_000, clock))
    while (clock.timers === 0) await new Promise((resolve) => setImmediate(resolve))
    router.close(new RaftError('RAFT_SHUTDOWN', 'stopping', { outcome: 'not-committed' }))
    expect(clock.timers).toBe(0)
    await expect(waiting).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
  })

  it('does not wait for another leader after it was closed', async () => {
    const { raft, router } = setUp()
    const clock = new CountingClock()
    raft.lead(1)
    let fail = (_error: RaftError): void => {}
    raft.onApply = () => new Promise((_, reject) => (fail = reject))
    const header = encodeSessionHeader({
      type: 'command',
      session: 1,
      nonce: 2,
      sequence: 1,
      answeredBelow: 1,
    })
    const waiting = router.route('session-command', header, new Deadline(undefined, 60_000, clock))
    router.close(new RaftError('RAFT_SHUTDOWN', 'stopping', { outcome: 'not-committed' }))
    fail(new RaftError('RAFT_SHUTDOWN', 'it stops', { outcome: 'unknown' }))
    await expect(waiting).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'unknown' })
    expect(clock.everSet).toBe(0)
  })

  it('rejects what waits for a leader when it is closed', async () => {
    const { router } = setUp()
    const answer = router.route('command', bytes(1), after(60_000))
    router.close(new RaftError('RAFT_SHUTDOWN', 'stopping', { outcome: 'not-committed' }))
    await expect(answer).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN' })
    await expect(router.route('command', bytes(1), after(1000))).rejects.toMatchObject({
      code: 'RAFT_SHUTDOWN',
    })
  })
})
