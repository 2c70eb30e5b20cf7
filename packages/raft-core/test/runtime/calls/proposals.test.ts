import { LogType, RaftError } from '@raftkit/interface'
import { decodeEntry } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { Proposals } from '../../../src/runtime/calls/proposals.ts'
import { shutDown } from '../../../src/runtime/calls/refusals.ts'
import { numbered } from '../../support/batches.ts'
import { rejection } from '../../support/rejection.ts'
import { bytesOf, textOf } from '../../support/text-machine.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

const limits = { maxCommandBytes: 100, maxPendingProposals: 4, maxPendingBytes: 1024 }
let clock: VirtualClock
let proposals: Proposals<string>
let asked: number
let backlog: number

beforeEach(() => {
  clock = new VirtualClock()
  asked = 0
  backlog = 0
  proposals = new Proposals(
    clock,
    limits,
    () => backlog,
    () => asked++,
  )
})

const submit = (text: string, options = {}) =>
  proposals.submit(LogType.command, bytesOf(text), undefined, options)

describe('Proposals', () => {
  it('ends the turn once, however many commands come', () => {
    void submit('a')
    void submit('b')
    expect(asked).toBe(1)
    expect(proposals.offer()).toBe(2)
    expect(proposals.offer()).toBe(0)
    void submit('c')
    expect(asked).toBe(2)
  })

  it('encodes the commands of a turn as one batch, with copies of their bytes', () => {
    const data = bytesOf('first')
    void proposals.submit(LogType.command, data, bytesOf('beside'), undefined)
    data.fill(0)
    void submit('second')
    proposals.offer()
    const batch = proposals.append(10, 2, 7)
    expect([batch.firstIndex, batch.lastIndex, batch.lastTerm]).toEqual([10, 11, 7])
    const first = decodeEntry(batch, 10)
    expect([textOf(first.data), textOf(first.extensions!)]).toEqual(['first', 'beside'])
    expect(first.appendedAt).toBe(clock.wallTime())
    expect(textOf(decodeEntry(batch, 11).data)).toBe('second')
  })

  it('leaves what is too much for one turn to the next', () => {
    const wide = { maxCommandBytes: 4e6, maxPendingProposals: 10, maxPendingBytes: 1e8 }
    const large = new Proposals<string>(
      clock,
      wide,
      () => 0,
      () => asked++,
    )
    for (let count = 0; count < 3; count++)
      void large.submit(LogType.command, new Uint8Array(2_000_000), undefined, undefined)
    expect([large.offer(), asked]).toEqual([2, 2])
    expect(large.append(1, 2, 1).count).toBe(2)
    expect([large.offer(), asked]).toEqual([1, 2])
  })

  it('does not let the commands of the next turn overwrite what was encoded', () => {
    void submit('first')
    proposals.offer()
    const batch = proposals.append(1, 1, 1)
    void submit('other')
    expect(textOf(decodeEntry(batch, 1).data)).toBe('first')
  })

  it('keeps the bytes of commands that come while a turn is being appended', () => {
    void submit('first')
    proposals.offer()
    void submit('second')
    proposals.append(1, 1, 1)
    void submit('third!')
    proposals.offer()
    const batch = proposals.append(2, 2, 1)
    expect(textOf(decodeEntry(batch, 2).data)).toBe('second')
  })

  it('resolves with index, term and the response of that entry', async () => {
    const results = Promise.all([submit('a'), submit('b')])
    proposals.offer()
    const batch = proposals.append(5, 2, 3)
    proposals.applied(batch, 5, 6, ['A', 'B'])
    expect(await results).toEqual([
      { index: 5, term: 3, response: 'A' },
      { index: 6, term: 3, response: 'B' },
    ])
    expect([proposals.admission.count, proposals.admission.bytes]).toEqual([0, 0])
  })

  it('resolves a batch that is applied in parts, among entries nobody waits for', async () => {
    const results = Promise.all([submit('a'), submit('b'), submit('c')])
    proposals.offer()
    proposals.append(5, 3, 3)
    const log = numbered(1, 3, 10)
    proposals.applied(log, 1, 5, ['-', '-', '-', '-', 'A'])
    proposals.applied(log, 6, 6, ['B'])
    proposals.applied(log, 7, 10, ['C', '-', '-', '-'])
    expect((await results).map(({ response }) => response)).toEqual(['A', 'B', 'C'])
    expect(proposals.hasAppended).toBe(false)
    expect(proposals.admission.count).toBe(0)
  })

  it("never gives a caller another entry's response: the term must match too", async () => {
    const result = rejection(submit('mine'))
    proposals.offer()
    proposals.append(5, 1, 3)
    proposals.applied(numbered(5, 4, 1), 5, 5, ['theirs'])
    expect(await result).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'not-committed' })
  })

  it('rejects what consensus refuses; the rest of the turn is appended', async () => {
    const kept = submit('a')
    const refused = rejection(submit('b'))
    proposals.offer()
    const batch = proposals.append(1, 1, 1)
    proposals.refuse(1, new RaftError('RAFT_NOT_LEADER', 'no', { outcome: 'not-committed' }))
    expect(await refused).toMatchObject({ code: 'RAFT_NOT_LEADER' })
    proposals.applied(batch, 1, 1, ['A'])
    expect((await kept).response).toBe('A')
  })

  it('tells callers of uncommitted entries that their outcome is unknown when leadership ends', async () => {
    const committed = submit('a')
    const orphan = rejection(submit('b'))
    proposals.offer()
    const batch = proposals.append(1, 2, 1)
    proposals.orphan(1)
    expect(await orphan).toMatchObject({ code: 'RAFT_LEADERSHIP_LOST', outcome: 'unknown' })
    proposals.applied(batch, 1, 1, ['A'])
    expect((await committed).response).toBe('A')
    expect(proposals.admission.count).toBe(0)
  })

  it('tells callers of what a restore replaces that their command took effect, or that nobody knows', async () => {
    const outcomes = ['a', 'b', 'c'].map((text) => rejection(submit(text)))
    proposals.offer()
    proposals.append(1, 3, 1)
    proposals.aborted(2)
    const errors = await Promise.all(outcomes)
    expect(errors.map(({ code }) => code)).toEqual(Array(3).fill('RAFT_ABORTED_BY_RESTORE'))
    expect(errors.map(({ outcome }) => outcome)).toEqual(['committed', 'committed', 'unknown'])
    expect(proposals.admission.count).toBe(0)
  })

  describe('a caller that stops waiting', () => {
    it('withdraws a command that is not appended yet', async () => {
      const abort = new AbortController()
      const aborted = rejection(submit('a', { signal: abort.signal }))
      void submit('b')
      abort.abort()
      expect(await aborted).toMatchObject({ code: 'RAFT_ABORTED', outcome: 'not-committed' })
      expect(proposals.offer()).toBe(1)
      expect(textOf(decodeEntry(proposals.append(1, 1, 1), 1).data)).toBe('b')
    })

    it('does not take back an appended one, and holds its place until it is applied', async () => {
      const timedOut = rejection(submit('a', { timeoutMs: 50 }))
      proposals.offer()
      const batch = proposals.append(1, 1, 1)
      await clock.advance(50)
      expect(await timedOut).toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' })
      expect(proposals.admission.count).toBe(1)
      proposals.applied(batch, 1, 1, ['A'])
      expect(proposals.admission.count).toBe(0)
    })
  })

  describe('the limits', () => {
    it('refuse a command that is too large', () => {
      expect(() => void submit('x'.repeat(101))).toThrow(
        expect.objectContaining({ code: 'RAFT_COMMAND_TOO_LARGE', outcome: 'not-committed' }),
      )
    })

    it('count the extensions', () => {
      const large = new Uint8Array(60)
      expect(() => void proposals.submit(LogType.command, large, large, undefined)).toThrow(
        'the command has 120 bytes',
      )
    })

    it('refuse more commands than may wait', () => {
      for (let count = 0; count < 4; count++) void submit('a')
      expect(() => void submit('a')).toThrow(
        expect.objectContaining({ code: 'RAFT_OVERLOADED', retryable: true }),
      )
    })

    it('refuse more bytes than may wait, but never a single command', () => {
      const small = new Proposals<string>(
        clock,
        { ...limits, maxPendingBytes: 80 },
        () => 0,
        () => {},
      )
      void small.submit(LogType.command, new Uint8Array(100), undefined, undefined)
      expect(
        () => void small.submit(LogType.command, new Uint8Array(1), undefined, undefined),
      ).toThrow('too many commands')
    })

    it('refuse commands while too much waits for the disk, however little is pending', async () => {
      backlog = 1025
      expect(() => void submit('a')).toThrow('too many commands')
      let isOpen = false
      const open = proposals.admission.whenOpen().then(() => (isOpen = true))
      proposals.admission.recheck()
      await clock.settle()
      expect(isOpen).toBe(false)
      backlog = 1024
      proposals.admission.recheck()
      await open
    })

    it('let waiting callers in as places become free, first come, first served', async () => {
      for (let count = 0; count < 4; count++) void submit('a')
      const order: string[] = []
      void proposals.admission.whenOpen().then(() => order.push('first'))
      void proposals.admission.whenOpen().then(() => order.push('second'))
      proposals.offer()
      const batch = proposals.append(1, 4, 1)
      await clock.settle()
      expect(order).toEqual([])
      proposals.applied(batch, 1, 1, ['A'])
      await clock.settle()
      expect(order).toEqual(['first'])
      proposals.applied(batch, 2, 4, ['A', 'A', 'A'])
      await clock.settle()
      expect(order).toEqual(['first', 'second'])
    })
  })

  it('settles everyone when it is closed', async () => {
    const appended = [rejection(submit('a')), rejection(submit('b'))]
    proposals.offer()
    proposals.append(1, 2, 1)
    const queued = rejection(submit('c'))
    void submit('d').catch(() => {})
    const waiting = rejection(proposals.admission.whenOpen())
    proposals.close(shutDown(), 1)
    expect(await Promise.all(appended)).toMatchObject([
      { code: 'RAFT_SHUTDOWN', outcome: 'committed' },
      { code: 'RAFT_SHUTDOWN', outcome: 'unknown' },
    ])
    expect(await queued).toMatchObject({ code: 'RAFT_SHUTDOWN', outcome: 'not-committed' })
    expect(await waiting).toMatchObject({ code: 'RAFT_SHUTDOWN' })
    expect(clock.timers).toBe(0)
  })
})
