import { RaftError } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { Deadline } from '../../src/deadline.ts'
import type { ForwardKind } from '../../src/forwarding/forward-message.ts'
import type { Delivery } from '../../src/forwarding/router.ts'
import { SessionClient } from '../../src/sessions/session-client.ts'
import {
  decodeSessionHeader,
  SESSION_HEADER_BYTES,
  type SessionCommandHeader,
} from '../../src/sessions/session-header.ts'
import { DEFAULT_SESSION_LIMITS, type SessionLimits } from '../../src/sessions/session-limits.ts'
import { sealApplied, sealRefusal } from '../../src/sessions/session-response.ts'
import { clockOf } from '../clock-of.ts'

interface Sent {
  readonly header: SessionCommandHeader
  readonly data: number
  readonly delivery: Delivery
  readonly answer: (response: Uint8Array) => void
  readonly fail: (error: unknown) => void
}

/** The way to the leader, whose answers a test gives by hand. Registers sessions by itself unless told how to fail. */
class HandRouter {
  readonly sent: Sent[] = []
  registrations = 0
  failRegistration: RaftError | undefined

  readonly route = (
    kind: ForwardKind,
    body: Uint8Array,
    _deadline: Deadline,
    delivery: Delivery = { isUncertain: false },
  ): Promise<Uint8Array> => {
    if (kind !== 'session-command') throw new Error(`a ${kind} is none of a session`)
    const header = decodeSessionHeader(body.subarray(0, SESSION_HEADER_BYTES))
    if (header === undefined || header === 'malformed') throw new Error('no header')
    if (header.type === 'register') return this.#register()
    const data = body[SESSION_HEADER_BYTES]!
    return new Promise((answer, fail) => this.sent.push({ header, data, delivery, answer, fail }))
  }

  readonly unreached = (): RaftError => new RaftError('RAFT_NO_LEADER', 'none')

  async #register(): Promise<Uint8Array> {
    this.registrations += 1
    if (this.failRegistration !== undefined) throw this.failRegistration
    return sealApplied(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, this.registrations * 10))
  }
}

const soon = (timeoutMs = 5000): Deadline => new Deadline({ timeoutMs }, timeoutMs)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const answered = (value: number): Uint8Array => sealApplied(Uint8Array.of(value))

function setUp(limits: Partial<SessionLimits> = {}) {
  const router = new HandRouter()
  const client = new SessionClient(router, { ...DEFAULT_SESSION_LIMITS, ...limits })
  const apply = (data: number, deadline = soon()): Promise<number> =>
    client.apply(Uint8Array.of(data), deadline).then((bytes) => bytes[0]!)
  return { router, apply }
}

describe('SessionClient', () => {
  it('registers once, with the first commands, and numbers them in the order of the calls', async () => {
    const { router, apply } = setUp()
    const answers = [1, 2, 3].map((data) => apply(data))
    await turn()
    expect(router.registrations).toBe(1)
    expect(router.sent.map(({ header, data }) => [header.session, header.sequence, data])).toEqual([
      [10, 1, 1],
      [10, 2, 2],
      [10, 3, 3],
    ])
    for (const { answer, data } of router.sent) answer(answered(data * 2))
    expect(await Promise.all(answers)).toEqual([2, 4, 6])
  })

  it('tells the servers up to where it has its answers', async () => {
    const { router, apply } = setUp()
    const answers = [1, 2, 3].map((data) => apply(data))
    await turn()
    router.sent[1]!.answer(answered(0))
    await turn()
    void apply(4)
    router.sent[0]!.answer(answered(0))
    await turn()
    void apply(5)
    await turn()
    expect(router.sent.map(({ header }) => header.answeredBelow)).toEqual([1, 1, 1, 1, 3])
    router.sent[2]!.fail(new RaftError('RAFT_TIMEOUT', 'given up', { outcome: 'unknown' }))
    await expect(answers[2]).rejects.toMatchObject({ code: 'RAFT_TIMEOUT' })
    void apply(6)
    expect(router.sent.at(-1)!.header.answeredBelow).toBe(4)
  })

  it('holds back what is beyond the window until the oldest command is answered', async () => {
    const { router, apply } = setUp({ maxCachedResponses: 2 })
    for (const data of [1, 2, 3, 4]) void apply(data)
    await turn()
    expect(router.sent.map(({ data }) => data)).toEqual([1, 2])
    router.sent[1]!.answer(answered(0))
    await turn()
    expect(router.sent).toHaveLength(2)
    router.sent[0]!.answer(answered(0))
    await turn()
    expect(router.sent.map(({ data }) => data)).toEqual([1, 2, 3, 4])
    expect(router.sent[3]!.header).toMatchObject({ sequence: 4, answeredBelow: 3 })
  })

  it('lets a command wait for the window no longer than its deadline', async () => {
    const { router, apply } = setUp({ maxCachedResponses: 1 })
    void apply(1)
    await turn()
    await expect(apply(2, soon(20))).rejects.toMatchObject({
      code: 'RAFT_TIMEOUT',
      outcome: 'not-committed',
    })
    expect(router.sent).toHaveLength(1)
  })

  it('lets the next command go when the one whose turn it was has given up in that very moment', async () => {
    let now = 0
    const clock = { ...clockOf(() => now), setTimer: () => ({ cancel: () => {} }) }
    const { router, apply } = setUp({ maxCachedResponses: 1 })
    const first = apply(1)
    await turn()
    const late = apply(2, new Deadline({ timeoutMs: 100 }, 100, clock))
    void apply(3)
    await turn()
    // As after a stall: the time is up before the timer has told.
    now = 200
    router.sent[0]!.answer(answered(0))
    await first
    await expect(late).rejects.toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'not-committed' })
    await turn()
    expect(router.sent.map(({ data }) => data)).toEqual([1, 3])
  })

  it('begins a new session when the old one expired before the command was ever sent', async () => {
    const { router, apply } = setUp()
    const first = apply(1)
    const second = apply(2)
    await turn()
    for (const { answer } of router.sent.slice()) answer(sealRefusal('expired'))
    await turn()
    expect(router.registrations).toBe(2)
    const again = router.sent.slice(2)
    expect(again.map(({ header, data }) => [header.session, header.sequence, data])).toEqual([
      [20, 1, 1],
      [20, 2, 2],
    ])
    for (const { answer, data } of again) answer(answered(data))
    expect(await Promise.all([first, second])).toEqual([1, 2])
  })

  it('never sends a command under a new session that may have been applied under the old one', async () => {
    const { router, apply } = setUp()
    const command = apply(1)
    await turn()
    router.sent[0]!.delivery.isUncertain = true
    router.sent[0]!.answer(sealRefusal('expired'))
    await expect(command).rejects.toMatchObject({
      code: 'RAFT_SESSION_EXPIRED',
      outcome: 'unknown',
    })
    expect(router.sent).toHaveLength(1)
    void apply(2)
    await turn()
    expect(router.sent[1]!.header).toMatchObject({ session: 20, sequence: 1 })
  })

  it('knows at the deadline that a command refused once was not applied', async () => {
    const { router, apply } = setUp()
    const deadline = soon(20)
    const command = apply(1, deadline)
    await turn()
    while (!deadline.passed) await deadline.pause(1000, () => () => {})
    router.sent[0]!.answer(sealRefusal('expired'))
    await expect(command).rejects.toMatchObject({
      code: 'RAFT_SESSION_EXPIRED',
      outcome: 'not-committed',
    })
  })

  it('fails with what became of the registration, and nothing was sent', async () => {
    const { router, apply } = setUp()
    router.failRegistration = new RaftError('RAFT_TIMEOUT', 'late', { outcome: 'unknown' })
    const outcomes = await Promise.allSettled([apply(1), apply(2)])
    for (const outcome of outcomes)
      expect(outcome).toMatchObject({
        reason: { code: 'RAFT_TIMEOUT', outcome: 'not-committed' },
      })
    expect(router.sent).toEqual([])
    router.failRegistration = undefined
    void apply(3)
    await turn()
    expect(router.sent.map(({ data }) => data)).toEqual([3])
  })
})
