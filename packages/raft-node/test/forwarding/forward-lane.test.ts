import { RaftError } from '@raftkit/interface'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { Deadline } from '../../src/deadline.ts'
import {
  DEFAULT_FORWARD_LIMITS,
  ForwardLane,
  type UnansweredOptions,
} from '../../src/forwarding/forward-lane.ts'
import {
  decodeForward,
  encodeResults,
  type ForwardedRequest,
} from '../../src/forwarding/forward-message.ts'

interface Message {
  readonly requests: readonly ForwardedRequest[]
  readonly timeoutMs: number | undefined
  readonly answer: () => void
  readonly answerWith: (payload: Uint8Array) => void
  readonly fail: (error: Error) => void
}

/** A leader whose answers the test gives by hand: every body comes back as it is. */
class HandLeader {
  readonly messages: Message[] = []
  readonly #waiting: (() => void)[] = []

  readonly forwardToLeader = (
    payload: Uint8Array,
    options?: { readonly timeoutMs?: number },
  ): Promise<Uint8Array> =>
    new Promise((resolve, reject) => {
      const requests = decodeForward(payload)
      this.messages.push({
        requests,
        timeoutMs: options?.timeoutMs,
        answer: () => resolve(encodeResults(requests.map(({ body }) => ({ ok: true, body })))),
        answerWith: resolve,
        fail: reject,
      })
      for (const wake of this.#waiting.splice(0)) wake()
    })

  async message(position: number): Promise<Message> {
    while (this.messages.length <= position)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    return this.messages[position]!
  }
}

const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)
const soon = (): Deadline => new Deadline(undefined, 3000)
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function lane(
  limits: Partial<typeof DEFAULT_FORWARD_LIMITS> = {},
  unanswered: UnansweredOptions = {},
) {
  const leader = new HandLeader()
  const all = { ...DEFAULT_FORWARD_LIMITS, ...limits }
  return { leader, lane: new ForwardLane(leader, all, unanswered) }
}

afterEach(() => {
  vi.useRealTimers()
})

describe('ForwardLane', () => {
  it('sends the requests of one turn in one message', async () => {
    const { leader, lane: forward } = lane()
    const answers = [1, 2, 3].map((n) => forward.submit('command', bytes(n), soon()))
    const message = await leader.message(0)
    expect(message.requests.map(({ body }) => [...body])).toEqual([[1], [2], [3]])
    message.answer()
    expect(await Promise.all(answers)).toEqual([bytes(1), bytes(2), bytes(3)])
    expect(leader.messages).toHaveLength(1)
  })

  it('cuts messages at the limit of bytes, and lets a larger request go alone', async () => {
    const { leader, lane: forward } = lane({ maxForwardBytes: 400, maxInflightForwards: 9 })
    const sizes = [100, 100, 80, 900, 80]
    const answers = sizes.map((size) => forward.submit('command', new Uint8Array(size), soon()))
    await leader.message(3)
    expect(leader.messages.map((m) => m.requests.map((r) => r.body.byteLength))).toEqual([
      [100, 100],
      [80],
      [900],
      [80],
    ])
    for (const message of leader.messages) message.answer()
    await Promise.all(answers)
  })

  it('keeps at most so many messages under way', async () => {
    const { leader, lane: forward } = lane({ maxInflightForwards: 1 })
    const first = forward.submit('command', bytes(1), soon())
    await leader.message(0)
    const second = forward.submit('command', bytes(2), soon())
    await turn()
    await turn()
    expect(leader.messages).toHaveLength(1)
    leader.messages[0]!.answer()
    await first
    const message = await leader.message(1)
    message.answer()
    expect(await second).toEqual(bytes(2))
  })

  it('does not let a silent old leader hold up the new one', async () => {
    const { leader, lane: forward } = lane({ maxInflightForwards: 1 })
    const lost = forward.submit('command', bytes(1), soon())
    const old = await leader.message(0)
    const next = forward.submit('command', bytes(2), soon())
    await turn()
    forward.leaderChanged()
    const message = await leader.message(1)
    // The late answer of the old leader must not free a place that it does not hold any more.
    old.answer()
    await lost
    const third = forward.submit('command', bytes(3), soon())
    await turn()
    await turn()
    expect(leader.messages).toHaveLength(2)
    message.answer()
    await next
    ;(await leader.message(2)).answer()
    await third
  })

  it('refuses what goes beyond its limits', async () => {
    const { leader, lane: forward } = lane({ maxPendingForwards: 2, maxPendingForwardBytes: 10 })
    const overloaded = expect.objectContaining({
      code: 'RAFT_OVERLOADED',
      outcome: 'not-committed',
      retryable: true,
    }) as Error
    const first = forward.submit('command', new Uint8Array(8), soon())
    await expect(forward.submit('command', new Uint8Array(3), soon())).rejects.toEqual(overloaded)
    const second = forward.submit('command', new Uint8Array(1), soon())
    await expect(forward.submit('command', new Uint8Array(1), soon())).rejects.toEqual(overloaded)
    ;(await leader.message(0)).answer()
    await Promise.all([first, second])
    const later = [forward.submit('command', new Uint8Array(5), soon())]
    later.push(forward.submit('command', new Uint8Array(5), soon()))
    ;(await leader.message(1)).answer()
    await Promise.all(later)
    const alone = forward.submit('command', new Uint8Array(11), soon())
    ;(await leader.message(2)).answer()
    await alone
  })

  it.each([
    [new RaftError('RAFT_DIAL_FAILED', 'x'), 'not-committed', true],
    [new RaftError('RAFT_NO_LEADER', 'x'), 'not-committed', true],
    [new RaftError('RAFT_NOT_LEADER', 'x'), 'not-committed', true],
    [new RaftError('RAFT_RPC_UNSUPPORTED', 'x'), 'not-committed', false],
    [new RaftError('RAFT_RPC_UNSUPPORTED', 'x', { outcome: 'unknown' }), 'unknown', false],
    [new RaftError('RAFT_CONNECTION_LOST', 'x'), 'unknown', false],
    [new RaftError('RAFT_RPC_TIMEOUT', 'x', { retryable: true }), 'unknown', false],
    [new RaftError('RAFT_TRANSPORT_CLOSED', 'x'), 'unknown', false],
    [new RaftError('RAFT_REMOTE_ERROR', 'x'), 'unknown', false],
    [new RaftError('RAFT_SHUTDOWN', 'x', { outcome: 'not-committed' }), 'not-committed', false],
    [new Error('socket'), 'unknown', false],
  ] as const)('says what %s means for the command', async (error, outcome, retryable) => {
    const { leader, lane: forward } = lane()
    const answer = forward.submit('command', bytes(1), soon())
    ;(await leader.message(0)).fail(error)
    await expect(answer).rejects.toMatchObject({ outcome, retryable })
  })

  it('gives each request its own result', async () => {
    const { leader, lane: forward } = lane()
    const good = forward.submit('command', bytes(1), soon())
    const bad = forward.submit('command', bytes(2), soon())
    const error = new RaftError('RAFT_LEADERSHIP_LOST', 'gone', { outcome: 'unknown' })
    ;(await leader.message(0)).answerWith(
      encodeResults([
        { ok: true, body: bytes(9) },
        { ok: false, error },
      ]),
    )
    expect(await good).toEqual(bytes(9))
    await expect(bad).rejects.toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
  })

  it('does not believe an answer of another length', async () => {
    const { leader, lane: forward } = lane()
    const answer = forward.submit('command', bytes(1), soon())
    ;(await leader.message(0)).answerWith(encodeResults([]))
    await expect(answer).rejects.toMatchObject({ code: 'RAFT_DECODE_FAILED', outcome: 'unknown' })
  })

  it('never sends a request that was aborted before it went out', async () => {
    const { leader, lane: forward } = lane()
    const abort = new AbortController()
    const deadline = new Deadline({ signal: abort.signal }, 3000)
    const aborted = forward.submit('command', bytes(1), deadline)
    const other = forward.submit('command', bytes(2), soon())
    abort.abort('no longer')
    await expect(aborted).rejects.toMatchObject({
      code: 'RAFT_ABORTED',
      outcome: 'not-committed',
      cause: 'no longer',
    })
    const message = await leader.message(0)
    expect(message.requests).toHaveLength(1)
    message.answer()
    await other
  })

  it('does not know the outcome of a request that was aborted after it went out', async () => {
    const { leader, lane: forward } = lane()
    const abort = new AbortController()
    const answer = forward.submit('command', bytes(1), new Deadline({ signal: abort.signal }, 3000))
    await leader.message(0)
    abort.abort()
    await expect(answer).rejects.toMatchObject({ code: 'RAFT_ABORTED', outcome: 'unknown' })
    leader.messages[0]!.answer()
  })

  it('gives up at the deadline: outcome by whether the request went out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { leader, lane: forward } = lane({ maxInflightForwards: 1 })
    const sent = forward.submit('command', bytes(1), new Deadline({ timeoutMs: 50 }, 3000))
    const message = await leader.message(0)
    expect(message.timeoutMs).toBeLessThanOrEqual(50)
    const queued = forward.submit('command', bytes(2), new Deadline({ timeoutMs: 60 }, 3000))
    const both = Promise.allSettled([sent, queued])
    vi.advanceTimersByTime(60)
    expect(await both).toMatchObject([
      { reason: { code: 'RAFT_TIMEOUT', outcome: 'unknown', retryable: false } },
      { reason: { code: 'RAFT_TIMEOUT', outcome: 'not-committed' } },
    ])
  })

  it('waits for the answer of a message no longer than an attempt may take', async () => {
    const { leader, lane: forward } = lane({}, { attemptMs: 70 })
    void forward.submit('session-command', bytes(1), soon())
    const message = await leader.message(0)
    expect(message.timeoutMs).toBe(70)
    expect(message.requests[0]!.remainingMs).toBeGreaterThan(1000)
  })

  it('ends what went to an old leader when it may be sent again, and nothing else', async () => {
    const { leader, lane: forward } = lane({ maxInflightForwards: 1 }, { endsWithLeader: true })
    const sent = forward.submit('session-command', bytes(1), soon())
    await leader.message(0)
    const queued = forward.submit('session-command', bytes(2), soon())
    forward.leaderChanged()
    await expect(sent).rejects.toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
    const message = await leader.message(1)
    message.answer()
    expect(await queued).toEqual(bytes(2))
  })

  it('rejects everything when it is closed', async () => {
    const { leader, lane: forward } = lane({ maxInflightForwards: 1 })
    const sent = forward.submit('command', bytes(1), soon())
    await leader.message(0)
    const queued = forward.submit('command', bytes(2), soon())
    forward.close(new RaftError('RAFT_SHUTDOWN', 'stopping', { outcome: 'not-committed' }))
    await expect(sent).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'unknown' })
    await expect(queued).rejects.toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'not-committed' })
    await expect(forward.submit('command', bytes(3), soon())).rejects.toMatchObject({
      code: 'RAFT_SHUTDOWN',
    })
    await turn()
    expect(leader.messages).toHaveLength(1)
  })
})
