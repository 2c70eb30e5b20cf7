import { beforeEach, describe, expect, it } from 'vitest'
import { Outbox } from '../../../src/runtime/network/outbox.ts'

let durability: { durableIndex: number; durableSequence: number }
let outbox: Outbox
let events: string[]

beforeEach(() => {
  durability = { durableIndex: 5, durableSequence: 2 }
  outbox = new Outbox(durability)
  events = []
})

function pass(name: string, after: Parameters<Outbox['pass']>[0]): void {
  outbox.pass(
    after,
    () => events.push(`${name} left`),
    () => events.push(`${name} dropped`),
  )
}

describe('Outbox', () => {
  it('lets pass at once what waits for nothing, or for what is durable', () => {
    pass('free', undefined)
    pass('vote', { hardState: 2 })
    pass('ack', { entry: { index: 5, term: 1 } })
    expect(events).toEqual(['free left', 'vote left', 'ack left'])
  })

  it('holds back until both parts are durable', () => {
    pass('ack', { hardState: 3, entry: { index: 6, term: 1 } })
    durability.durableIndex = 6
    outbox.durable()
    expect(events).toEqual([])
    durability.durableSequence = 3
    outbox.durable()
    expect(events).toEqual(['ack left'])
    expect(outbox.length).toBe(0)
  })

  it('drops what waits for an entry that is truncated', () => {
    pass('kept', { entry: { index: 6, term: 1 } })
    pass('lost', { entry: { index: 7, term: 1 } })
    outbox.truncated(7)
    expect(events).toEqual(['lost dropped'])
    durability.durableIndex = 7
    outbox.durable()
    expect(events).toEqual(['lost dropped', 'kept left'])
  })

  it('drops everything when the server stops', () => {
    pass('vote', { hardState: 3 })
    outbox.close()
    expect(events).toEqual(['vote dropped'])
  })
})
