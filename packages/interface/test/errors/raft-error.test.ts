import { describe, expect, it } from 'vitest'
import { messageOf, RaftError } from '@raftkit/interface'

describe('RaftError', () => {
  it('carries what the caller needs to decide', () => {
    const cause = new Error('disk')
    const error = new RaftError('RAFT_NOT_LEADER', 'n2 leads; send it there', {
      retryable: true,
      outcome: 'not-committed',
      cause,
      details: { leader: 'n2' },
    })
    expect(error).toMatchObject({
      name: 'RaftError',
      code: 'RAFT_NOT_LEADER',
      message: 'n2 leads; send it there',
      retryable: true,
      outcome: 'not-committed',
      cause,
      details: { leader: 'n2' },
    })
  })

  it('is not retryable and knows no outcome unless told', () => {
    const error = new RaftError('RAFT_SHUTDOWN', 'the server was shut down')
    expect([error.retryable, error.outcome, error.cause, error.details]).toEqual([
      false,
      undefined,
      undefined,
      {},
    ])
  })

  it('recognises errors of another copy of the package, and nothing else', () => {
    const foreign = Object.assign(new Error('x'), { code: 'RAFT_SHUTDOWN' })
    expect(RaftError.is(foreign)).toBe(false)
    Object.defineProperty(foreign, Symbol.for('@raftkit/RaftError'), { value: true })
    expect(RaftError.is(foreign)).toBe(true)
    expect(RaftError.is(foreign, 'RAFT_SHUTDOWN')).toBe(true)
    expect(RaftError.is(foreign, 'RAFT_TIMEOUT')).toBe(false)
    for (const other of [undefined, null, 'RAFT_SHUTDOWN', 1, {}, new Error('y')])
      expect(RaftError.is(other)).toBe(false)
  })
})

describe('messageOf', () => {
  it('reads errors and prints everything else', () => {
    expect([messageOf(new Error('a')), messageOf('b'), messageOf(undefined)]).toEqual([
      'a',
      'b',
      'undefined',
    ])
  })
})
