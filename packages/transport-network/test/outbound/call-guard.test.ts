import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { CallGuard } from '../../src/outbound/call-guard.ts'
import { heartbeat, openPair, peerB } from '../fixtures.ts'
import { ManualClock } from '../manual-clock.ts'

const timedOut = new Error('timed out')

function guardOf(signal?: AbortSignal) {
  const clock = new ManualClock()
  const told: unknown[] = []
  const guard = new CallGuard(clock, 100, signal, () => timedOut)
  return { clock, told, guard, watch: () => guard.watch((reason) => told.push(reason)) }
}

it('tells once, whatever strikes first', () => {
  const controller = new AbortController()
  const { clock, told, watch } = guardOf(controller.signal)
  watch()
  clock.advance(100)
  controller.abort(new Error('too late'))
  expect(told).toEqual([timedOut])
})

it('tells who comes after it has struck, at once', () => {
  const { clock, told, watch } = guardOf()
  clock.advance(100)
  watch()
  expect(told).toEqual([timedOut])
})

it('tells only the last who asked', () => {
  const { clock, guard, told, watch } = guardOf()
  guard.watch(() => told.push('the first'))
  watch()
  clock.advance(100)
  expect(told).toEqual([timedOut])
})

it('counts anew when it is restarted, until it has struck', () => {
  const { clock, guard, told, watch } = guardOf()
  watch()
  clock.advance(99)
  guard.restart(100)
  clock.advance(99)
  expect(told).toEqual([])
  clock.advance(1)
  guard.restart(100)
  clock.advance(100)
  expect(told).toEqual([timedOut])
})

it('leaves no timer and no listener behind', async () => {
  const controller = new AbortController()
  const { clock, guard, told, watch } = guardOf(controller.signal)
  watch()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1)
  guard.end()
  expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  expect(clock.timers).toBe(0)
  controller.abort()
  expect(told).toEqual([])
  const { a } = await openPair()
  const { signal } = new AbortController()
  for (let call = 0; call < 3; call += 1) await a.call(peerB, heartbeat(), { signal })
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
