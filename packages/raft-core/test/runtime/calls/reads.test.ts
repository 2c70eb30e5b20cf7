import { beforeEach, describe, expect, it } from 'vitest'
import { Reads } from '../../../src/runtime/calls/reads.ts'
import { shutDown } from '../../../src/runtime/calls/refusals.ts'
import { rejection } from '../../support/rejection.ts'
import { VirtualClock } from '../../support/virtual-clock.ts'

let clock: VirtualClock
let reads: Reads
let asked: number

beforeEach(() => {
  clock = new VirtualClock()
  asked = 0
  reads = new Reads(clock, 5, () => asked++)
})

const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  const pending = Symbol('pending')
  await clock.settle()
  return (await Promise.race([promise, Promise.resolve(pending)])) === pending
}

describe('Reads', () => {
  it('refuses who waits for a state that a restore replaces, and nobody else', async () => {
    const waiting = rejection(reads.request('applied', undefined))
    reads.ask()
    reads.confirmed(1, 9, 3)
    const asking = reads.request('index', undefined)
    reads.ask()
    reads.aborted()
    expect(await waiting).toMatchObject({ code: 'RAFT_ABORTED_BY_RESTORE', retryable: true })
    expect(await isPending(asking)).toBe(true)
    expect(reads.pending).toBe(1)
  })

  it('asks for one proof for all readers of a turn', () => {
    for (let count = 0; count < 3; count++) void reads.request('index', undefined)
    expect(asked).toBe(1)
    expect(reads.ask()).toEqual([{ readId: 1, needsIndex: true, onLease: false }])
    expect(reads.ask()).toEqual([])
  })

  it('asks apart for readers that need no index', () => {
    void reads.request('applied', undefined)
    void reads.request('leadership', undefined)
    expect(reads.ask()).toEqual([
      { readId: 1, needsIndex: false, onLease: false },
      { readId: 2, needsIndex: true, onLease: false },
    ])
  })

  it('asks apart for readers that the lease will do for', () => {
    void reads.request('applied', undefined)
    void reads.request('applied-on-lease', undefined)
    void reads.request('index-on-lease', undefined)
    expect(reads.ask()).toEqual([
      { readId: 1, needsIndex: true, onLease: false },
      { readId: 2, needsIndex: true, onLease: true },
    ])
  })

  it('knows how old the state may be: as old as the last proof that is applied', async () => {
    expect(reads.staleness(clock.now())).toBe(Infinity)
    const asked = clock.now()
    const read = reads.request('applied', undefined)
    reads.ask()
    await clock.advance(30)
    reads.confirmed(1, 9, 8)
    expect(reads.staleness(clock.now())).toBe(Infinity)
    reads.applied(9)
    await read
    expect(reads.staleness(clock.now())).toBe(clock.now() - asked)
  })

  it('lets proofs come in any order', async () => {
    const late = reads.request('applied', undefined)
    reads.ask()
    const early = reads.request('applied', undefined)
    reads.ask()
    reads.confirmed(2, 12, 8)
    reads.confirmed(1, 9, 8)
    reads.applied(9)
    expect(await late).toBe(9)
    expect(await isPending(early)).toBe(true)
    reads.applied(12)
    expect(await early).toBe(12)
  })

  it('resolves with the index that was confirmed', async () => {
    const index = reads.request('index', undefined)
    reads.ask()
    reads.confirmed(1, 9, 3)
    expect(await index).toBe(9)
    expect(reads.pending).toBe(0)
  })

  it('waits for the state machine to be there', async () => {
    const read = reads.request('applied', undefined)
    reads.ask()
    reads.confirmed(1, 9, 8)
    expect(await isPending(read)).toBe(true)
    reads.applied(8)
    expect(await isPending(read)).toBe(true)
    reads.applied(10)
    expect(await read).toBe(9)
  })

  it('does not wait when the state machine is there already', async () => {
    const read = reads.request('applied', undefined)
    reads.ask()
    reads.confirmed(1, 9, 9)
    expect(await read).toBe(9)
  })

  it('rejects with what consensus says', async () => {
    const read = rejection(reads.request('index', undefined))
    reads.ask()
    reads.refused(1, 'not-leader', { id: 'b', address: 'b:1' })
    expect(await read).toMatchObject({
      code: 'RAFT_NOT_LEADER',
      details: { leader: { id: 'b', address: 'b:1' } },
    })
  })

  it('ends a reader whose time is up, in whatever stage', async () => {
    const collected = rejection(reads.request('index', { timeoutMs: 10 }))
    await clock.advance(10)
    expect(await collected).toMatchObject({ code: 'RAFT_TIMEOUT' })
    reads.ask()
    const confirmed = rejection(reads.request('applied', { timeoutMs: 10 }))
    reads.ask()
    reads.confirmed(2, 9, 0)
    await clock.advance(20)
    expect(await confirmed).toMatchObject({ code: 'RAFT_TIMEOUT' })
  })

  it('refuses more readers than may wait', async () => {
    for (let count = 0; count < 5; count++) void reads.request('index', undefined)
    expect(await rejection(reads.request('index', undefined))).toMatchObject({
      code: 'RAFT_OVERLOADED',
      retryable: true,
    })
  })

  it('settles everyone when it is closed', async () => {
    const confirmed = rejection(reads.request('applied', undefined))
    reads.ask()
    reads.confirmed(1, 9, 0)
    const sent = rejection(reads.request('index', undefined))
    reads.ask()
    const collected = rejection(reads.request('leadership', undefined))
    reads.close(shutDown())
    for (const error of await Promise.all([confirmed, sent, collected]))
      expect(error.code).toBe('RAFT_SHUTDOWN')
    expect(reads.pending).toBe(0)
  })
})
