import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Liveness } from '../src/liveness.ts'

beforeEach(() => {
  // setImmediate stays real: it is the turn of the event loop in which waiting input is read.
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] })
})

afterEach(() => {
  vi.useRealTimers()
})

const inputRead = () => new Promise<void>((resolve) => setImmediate(resolve))

/** Time passes, with a look at the input whenever a timer has fired. */
async function pass(milliseconds: number): Promise<void> {
  for (let at = 0; at < milliseconds; at += 100) {
    vi.advanceTimersByTime(Math.min(100, milliseconds - at))
    await inputRead()
  }
}

function open() {
  const pings: string[] = []
  const onDead = vi.fn<() => void>()
  const liveness = new Liveness({
    pingIntervalMs: 1000,
    pongTimeoutMs: 600,
    ping: (text) => pings.push(text),
    onDead,
  })
  return { liveness, pings, onDead }
}

describe('Liveness', () => {
  it('pings at each interval while pongs come', async () => {
    const { liveness, pings, onDead } = open()
    for (let i = 1; i <= 5; i++) {
      await pass(1000)
      expect(pings).toEqual(Array.from({ length: i }, (_, k) => String(k + 1)))
      liveness.pong(String(i))
    }
    expect(onDead).not.toHaveBeenCalled()
    liveness.end()
  })

  it('gives up on an idle connection that does not answer in time, once', async () => {
    const { pings, onDead } = open()
    await pass(1599)
    expect(onDead).not.toHaveBeenCalled()
    await pass(2)
    expect(onDead).toHaveBeenCalledTimes(1)
    await pass(10_000)
    expect(onDead).toHaveBeenCalledTimes(1)
    expect(pings).toEqual(['1'])
  })

  it('takes anything that comes for a sign of life', async () => {
    const { liveness, onDead } = open()
    await pass(1000)
    for (let i = 0; i < 20; i++) {
      await pass(500)
      liveness.heard()
    }
    expect(onDead).not.toHaveBeenCalled()
    await pass(1300)
    expect(onDead).toHaveBeenCalledTimes(1)
  })

  it('does not take a pong that it did not ask for as an answer', async () => {
    const { liveness, onDead } = open()
    await pass(1000)
    liveness.pong('7')
    liveness.pong('')
    await pass(1300)
    expect(onDead).toHaveBeenCalledTimes(1)
  })

  it('draws no conclusion from silence while data may lie unread before the ping', async () => {
    const { liveness, pings, onDead } = open()
    liveness.wrote()
    await pass(100_000)
    expect(onDead).not.toHaveBeenCalled()
    expect(pings).toEqual(['1'])
    liveness.pong('1')
    // From here on all that was sent is known to be read.
    await pass(1000)
    expect(pings).toEqual(['1', '2'])
    await pass(601)
    expect(onDead).toHaveBeenCalledTimes(1)
  })

  it('does not count data as read that was sent after the ping', async () => {
    const { liveness, onDead } = open()
    liveness.wrote()
    await pass(1000)
    liveness.wrote()
    liveness.pong('1')
    await pass(100_000)
    expect(onDead).not.toHaveBeenCalled()
  })

  it('does not judge while it does not listen itself', async () => {
    const { liveness, onDead } = open()
    liveness.listen(false)
    await pass(100_000)
    expect(onDead).not.toHaveBeenCalled()
    // Between a deadline and its judgement it listens again, and has not heard anything yet.
    vi.advanceTimersByTime(600)
    liveness.listen(true)
    await inputRead()
    expect(onDead).not.toHaveBeenCalled()
    await pass(1300)
    expect(onDead).toHaveBeenCalledTimes(1)
  })

  it('reads what is waiting before it judges', async () => {
    const { liveness, onDead } = open()
    await pass(1000)
    // All of the deadline passes in one stall of this process; the pong is waiting to be read.
    vi.advanceTimersByTime(600)
    liveness.pong('1')
    await inputRead()
    expect(onDead).not.toHaveBeenCalled()
    liveness.end()
  })

  it('does nothing after its end', async () => {
    const { liveness, pings, onDead } = open()
    await pass(1000)
    liveness.end()
    await pass(100_000)
    expect(onDead).not.toHaveBeenCalled()
    expect(pings).toEqual(['1'])
    expect(vi.getTimerCount()).toBe(0)
  })
})
