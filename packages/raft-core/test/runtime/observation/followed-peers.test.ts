import { beforeEach, describe, expect, it } from 'vitest'
import type { RaftEvents } from '../../../src/raft-events.ts'
import { EventEmitter } from '../../../src/runtime/observation/event-emitter.ts'
import { FollowedPeers } from '../../../src/runtime/observation/followed-peers.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'

let events: EventEmitter<RaftEvents>
let followed: FollowedPeers
let told: string[]

beforeEach(() => {
  events = new EventEmitter(new MemoryLogger())
  followed = new FollowedPeers(events)
  told = []
  events.on('replication-started', ({ peer }) => told.push(`> ${peer}`))
  events.on('replication-stopped', ({ peer }) => told.push(`x ${peer}`))
})

/** The turn ends while these are followed; what is told then. */
function turn(...ids: readonly string[]): string[] {
  told = []
  followed.turnEnded(() => ids.map((id) => ({ id })))
  events.flush()
  return told
}

describe('FollowedPeers', () => {
  it('tells what is new and what is gone, once', () => {
    followed.mayHaveChanged()
    expect(turn('b', 'c')).toEqual(['> b', '> c'])
    followed.mayHaveChanged()
    expect(turn('b', 'c')).toEqual([])
    followed.mayHaveChanged()
    expect(turn('c', 'd')).toEqual(['x b', '> d'])
    followed.mayHaveChanged()
    expect(turn()).toEqual(['x c', 'x d'])
  })

  it('does not look unless something happened', () => {
    followed.turnEnded(() => {
      throw new Error('nobody asked')
    })
    followed.mayHaveChanged()
    expect(turn('b')).toEqual(['> b'])
    expect(turn()).toEqual([])
  })
})
