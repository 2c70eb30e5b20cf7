import { RaftError } from '@raftkit/interface'
import { beforeEach, describe, expect, it } from 'vitest'
import type { RaftEvents } from '@raftkit/raft-core'
import { EventEmitter } from '../../../src/runtime/observation/event-emitter.ts'
import { Standing } from '../../../src/runtime/observation/standing.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'

let events: EventEmitter<RaftEvents>
let standing: Standing
let told: unknown[]

beforeEach(() => {
  events = new EventEmitter(new MemoryLogger())
  standing = new Standing(events, 1)
  told = []
  const names = ['role-changed', 'leader-changed', 'leader-ready', 'stopped'] as const
  for (const name of names) events.on(name, (event) => told.push({ name, ...event }))
})

const tellings = (): unknown[] => {
  events.flush()
  return told.splice(0)
}

describe('Standing', () => {
  it('calls a pre-candidate a candidate', () => {
    standing.roleChanged('pre-candidate', 1, 'no leader heard')
    expect(standing.state).toBe('candidate')
    standing.termChanged(2)
    standing.roleChanged('candidate', 2, '2 of 3 pre-votes')
    expect(tellings()).toEqual([
      { name: 'role-changed', role: 'candidate', term: 1, reason: 'no leader heard' },
      { name: 'role-changed', role: 'candidate', term: 2, reason: '2 of 3 pre-votes' },
    ])
  })

  it('does not tell of a change that is none outside', () => {
    standing.roleChanged('pre-candidate', 1, '')
    standing.roleChanged('candidate', 1, '')
    expect(tellings()).toHaveLength(1)
  })

  it('is ready as a leader when its own first entry is applied, once', () => {
    standing.roleChanged('leader', 3, '')
    standing.leads(10)
    standing.applied(9)
    expect(tellings()).toHaveLength(1)
    standing.applied(11)
    standing.applied(12)
    expect(tellings()).toEqual([{ name: 'leader-ready', term: 3 }])
  })

  it('is not ready when leadership ended before', () => {
    standing.roleChanged('leader', 3, '')
    standing.leads(10)
    standing.roleChanged('follower', 4, '')
    standing.applied(10)
    expect(tellings().map((event) => (event as { name: string }).name)).toEqual([
      'role-changed',
      'role-changed',
    ])
  })

  it('refuses unless it leads, and says who does', () => {
    expect(standing.refusal()).toMatchObject({ code: 'RAFT_NOT_LEADER', details: {} })
    standing.leaderChanged({ id: 'b', address: 'b:1' }, 2)
    expect(standing.refusal()).toMatchObject({ details: { leader: { id: 'b' } } })
    standing.roleChanged('leader', 3, '')
    expect(standing.refusal()).toBeUndefined()
  })

  it('stays stopped, whatever comes after', () => {
    const error = new RaftError('RAFT_STORE_FAILED', 'disk')
    standing.leaderChanged({ id: 'b', address: 'b:1' }, 2)
    tellings()
    standing.stopped(new RaftError('RAFT_STOPPED', 'stopped'), error)
    standing.roleChanged('leader', 9, '')
    standing.leaderChanged({ id: 'c', address: 'c:1' }, 9)
    expect(tellings()).toEqual([
      { name: 'role-changed', role: 'stopped', term: 2, reason: 'disk' },
      { name: 'leader-changed', term: 2 },
      { name: 'stopped', error },
    ])
    expect(standing.refusal()?.code).toBe('RAFT_STOPPED')
    expect(standing.leader).toBeUndefined()
  })
})
