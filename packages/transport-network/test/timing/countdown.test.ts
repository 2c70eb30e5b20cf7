import { expect, it } from 'vitest'
import { Countdown } from '../../src/timing/countdown.ts'
import { ManualClock } from '../manual-clock.ts'

function countdown() {
  const clock = new ManualClock()
  const expired: number[] = []
  return { clock, expired, countdown: new Countdown(clock, () => expired.push(clock.now())) }
}

it('runs out once, at its time', () => {
  const { clock, expired, countdown: subject } = countdown()
  subject.start(100)
  clock.advance(99)
  expect(expired).toEqual([])
  clock.advance(500)
  expect(expired).toEqual([100])
})

it('counts from its last start, with one timer', () => {
  const { clock, expired, countdown: subject } = countdown()
  for (let start = 0; start < 10; start += 1) {
    subject.start(100)
    expect(clock.timers).toBe(1)
    clock.advance(50)
  }
  expect(expired).toEqual([])
  clock.advance(50)
  expect(expired).toEqual([550])
})

it('runs out earlier when it is started with less time', () => {
  const { clock, expired, countdown: subject } = countdown()
  subject.start(1000)
  subject.start(10)
  clock.advance(2000)
  expect(expired).toEqual([10])
})

it('does not run out while it is paused and can be started again', () => {
  const { clock, expired, countdown: subject } = countdown()
  subject.start(100)
  subject.pause()
  clock.advance(1000)
  expect(expired).toEqual([])
  subject.start(100)
  clock.advance(100)
  expect(expired).toEqual([1100])
})

it('leaves no timer behind when it ends', () => {
  const { clock, expired, countdown: subject } = countdown()
  subject.start(100)
  subject.end()
  expect(clock.timers).toBe(0)
  clock.advance(1000)
  expect(expired).toEqual([])
})
