import { LogType } from '@raftkit/interface'
import { InmemStore } from '@raftkit/store-inmem'
import { encodeEntries } from '@raftkit/wire'
import { beforeEach, describe, expect, it } from 'vitest'
import { OldestEntry } from '../../src/metrics/oldest-entry.ts'
import { ControlledStore } from '../support/controlled-store.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

let clock: VirtualClock
let store: ControlledStore
let oldest: OldestEntry

/** Appends one entry; without a time when `isStamped` is false, as the first of a cluster is. */
async function append(index: number, type: LogType, isStamped = true): Promise<void> {
  const entry = { type, data: new Uint8Array(1) }
  await store.append([encodeEntries(index, 1, [entry], isStamped ? clock.wallTime() : undefined)])
}

beforeEach(() => {
  clock = new VirtualClock()
  store = new ControlledStore(new InmemStore())
  oldest = new OldestEntry(store, clock)
})

describe('the age of the oldest entry', () => {
  it('is not known while the log is empty', async () => {
    oldest.start()
    await clock.settle()
    expect(oldest.ageMs).toBeUndefined()
  })

  it('grows, and falls when the log is compacted and looked at again', async () => {
    await append(1, LogType.noop)
    await clock.advance(4000)
    await append(2, LogType.command)
    oldest.start()
    await clock.advance(1000)
    expect(oldest.ageMs).toBe(5000)
    await store.truncatePrefix(1)
    await clock.advance(8999)
    expect(oldest.ageMs).toBe(13_999)
    await clock.advance(1)
    expect(oldest.ageMs).toBe(10_000)
  })

  it('is that of the first entry that says when it was appended', async () => {
    await append(1, LogType.configuration, false)
    await append(2, LogType.noop)
    oldest.start()
    await clock.advance(10)
    expect(oldest.ageMs).toBe(10)
  })

  it('is not known when the log store cannot be read', async () => {
    await append(1, LogType.noop)
    store.fail('read')
    oldest.start()
    await clock.settle()
    expect(oldest.ageMs).toBeUndefined()
  })

  it('is looked up no more after the end', async () => {
    oldest.start()
    await clock.settle()
    oldest.close()
    expect(clock.timers).toBe(0)
  })
})
