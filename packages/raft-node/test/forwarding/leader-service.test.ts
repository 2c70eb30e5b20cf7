import { RaftError, silentLogger } from '@raftkit/interface'
import { describe, expect, it } from 'vitest'
import { decodeResults, encodeForward } from '../../src/forwarding/forward-message.ts'
import {
  decodeIndex,
  LeaderService,
  MAX_RESULT_BYTES,
} from '../../src/forwarding/leader-service.ts'
import { encodeSessionHeader } from '../../src/sessions/session-header.ts'
import { FakeRaft } from '../fake-raft.ts'

const signal = new AbortController().signal
const bytes = (...values: number[]): Uint8Array => new Uint8Array(values)

describe('LeaderService', () => {
  it('runs the requests of a message and answers in their order', async () => {
    const raft = new FakeRaft()
    const service = new LeaderService(() => raft, { answer: (q) => bytes(q[0]! + 1) }, silentLogger)
    const payload = encodeForward([
      { kind: 'command', body: bytes(1), remainingMs: 100 },
      { kind: 'query', body: bytes(1), remainingMs: 100 },
      { kind: 'read-index', body: bytes(), remainingMs: 100 },
    ])
    const results = decodeResults(await service.serve(payload, { signal }))
    expect(results.slice(0, 2)).toEqual([
      { ok: true, body: bytes(1) },
      { ok: true, body: bytes(2) },
    ])
    const [, , third] = results
    expect(third?.ok === true && decodeIndex(third.body)).toBe(7)
  })

  it('knows nothing of a command of a session that is committed, and whose answer is lost', async () => {
    const raft = new FakeRaft()
    raft.onApply = async () => {
      throw new RaftError('RAFT_STORE_FAILED', 'the disk', { outcome: 'committed' })
    }
    const service = new LeaderService(() => raft, { answer: (q) => q }, silentLogger)
    const header = encodeSessionHeader({
      type: 'command',
      session: 1,
      nonce: 2,
      sequence: 1,
      answeredBelow: 1,
    })
    const wait = { timeoutMs: 100 }
    await expect(service.run('session-command', header, wait)).rejects.toMatchObject({
      code: 'RAFT_STORE_FAILED',
      outcome: 'unknown',
    })
    await expect(service.run('command', bytes(1), wait)).rejects.toMatchObject({
      outcome: 'committed',
    })
  })

  it('never passes a request on: a server that does not lead refuses it', async () => {
    const raft = new FakeRaft()
    raft.leader = { id: 'b', address: 'b:1' }
    let forwarded = 0
    raft.forwardToLeader = async () => {
      forwarded += 1
      return bytes()
    }
    raft.onApply = async () => {
      throw new RaftError('RAFT_NOT_LEADER', 'b leads', {
        retryable: true,
        outcome: 'not-committed',
      })
    }
    const service = new LeaderService(() => raft, { answer: (q) => q }, silentLogger)
    const payload = encodeForward([{ kind: 'command', body: bytes(1), remainingMs: 100 }])
    const [result] = decodeResults(await service.serve(payload, { signal }))
    expect(result).toMatchObject({ ok: false, error: { code: 'RAFT_NOT_LEADER' } })
    expect(forwarded).toBe(0)
  })

  it('lets all requests of a message listen to its signal', async () => {
    const raft = new FakeRaft()
    const service = new LeaderService(() => raft, { answer: (q) => q }, silentLogger)
    const { apply } = raft
    raft.apply = (data, options) => {
      options?.signal?.addEventListener('abort', () => {})
      return apply(data, options)
    }
    const warnings: string[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning.name)
    process.on('warning', onWarning)
    const request = { kind: 'command', body: bytes(1), remainingMs: 100 } as const
    const many = encodeForward(Array.from({ length: 30 }, () => request))
    await service.serve(many, { signal: new AbortController().signal })
    await new Promise((resolve) => setImmediate(resolve))
    process.off('warning', onWarning)
    expect(warnings).toEqual([])
  })

  it('reads from the leader, unless a stale answer will do', async () => {
    const raft = new FakeRaft()
    const service = new LeaderService(() => raft, { answer: (q) => q }, silentLogger)
    expect(await service.run('query', bytes(1), {})).toEqual(bytes(1))
    expect(await service.answerStale(bytes(2))).toEqual(bytes(2))
    expect(raft.consistencies).toEqual(['linearizable', 'stale'])
  })

  it('refuses before the server has started', async () => {
    const service = new LeaderService(() => undefined, { answer: (q) => q }, silentLogger)
    await expect(service.run('command', bytes(1), {})).rejects.toMatchObject({
      code: 'RAFT_NOT_LEADER',
      outcome: 'not-committed',
      retryable: true,
    })
  })

  it('answers a failure that has no type as an unknown outcome, and logs it', async () => {
    const raft = new FakeRaft()
    const logged: string[] = []
    const logger = {
      ...silentLogger,
      error: (_f: object, message: string) => void logged.push(message),
    }
    raft.onApply = async () => {
      throw new TypeError('surprise')
    }
    const service = new LeaderService(() => raft, { answer: (q) => q }, logger)
    const payload = encodeForward([{ kind: 'command', body: bytes(1), remainingMs: 100 }])
    const [result] = decodeResults(await service.serve(payload, { signal }))
    expect(result).toMatchObject({ error: { code: 'RAFT_REMOTE_ERROR', outcome: 'unknown' } })
    expect(logged).toHaveLength(1)
  })

  it('leaves out what does not fit into one message, and says so', async () => {
    const raft = new FakeRaft()
    const large = new Uint8Array(MAX_RESULT_BYTES * 0.6)
    raft.onApply = async () => large
    const service = new LeaderService(() => raft, { answer: () => large }, silentLogger)
    const request = { body: bytes(1), remainingMs: 100 }
    const payload = encodeForward([
      { kind: 'query', ...request },
      { kind: 'command', ...request },
      { kind: 'query', ...request },
    ])
    const results = decodeResults(await service.serve(payload, { signal }))
    expect(results).toMatchObject([
      { ok: true },
      { error: { code: 'RAFT_LIMIT_EXCEEDED', outcome: 'committed', retryable: false } },
      { error: { code: 'RAFT_LIMIT_EXCEEDED', outcome: 'not-committed', retryable: true } },
    ])
  })

  it('refuses a payload that is no message', async () => {
    const service = new LeaderService(() => new FakeRaft(), { answer: (q) => q }, silentLogger)
    await expect(service.serve(bytes(1, 2, 3), { signal })).rejects.toMatchObject({
      code: 'RAFT_DECODE_FAILED',
    })
  })

  it('takes only an index for an index', () => {
    expect(() => decodeIndex(bytes(1))).toThrow('something else')
  })
})
