import { afterEach, describe, expect, it, vi } from 'vitest'
import { stopOnSignals } from '../src/stop-on-signals.ts'

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** SIGUSR2 stands for SIGTERM, so that a mistake cannot end the test run. */
const signals = ['SIGUSR2'] as const

function node(stop: () => Promise<void> = async () => {}) {
  const stops: unknown[] = []
  return {
    stops,
    stop: (options?: unknown) => {
      stops.push(options)
      return stop()
    },
  }
}

afterEach(() => {
  process.exitCode = undefined
  vi.restoreAllMocks()
})

describe('stopOnSignals', () => {
  it('stops the node at the first signal, with the options given, and only once', async () => {
    const stoppable = node()
    stopOnSignals(stoppable, { signals, timeoutMs: 7, transferLeadership: false })
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(stoppable.stops).toEqual([{ timeoutMs: 7, transferLeadership: false }])
    expect(process.listenerCount('SIGUSR2')).toBe(0)
  })

  it('takes SIGTERM and SIGINT by default', () => {
    const before = [process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]
    const remove = stopOnSignals(node())
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual(
      before.map((count) => count + 1),
    )
    remove()
    expect([process.listenerCount('SIGTERM'), process.listenerCount('SIGINT')]).toEqual(before)
  })

  it('tells the application first', async () => {
    const order: string[] = []
    const stoppable = node(async () => void order.push('stop'))
    stopOnSignals(stoppable, { signals, onSignal: async (signal) => void order.push(signal) })
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(order).toEqual(['SIGUSR2', 'stop'])
  })

  it('leaves the end of the process to others unless it is asked', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
    stopOnSignals(node(), { signals })
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(exit).not.toHaveBeenCalled()
    stopOnSignals(node(), { signals, exit: true })
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(exit.mock.calls).toEqual([[0]])
  })

  it('ends with code 1 when stopping fails, and stops even when onSignal fails', async () => {
    const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
    const warning = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    stopOnSignals(
      node(() => Promise.reject(new Error('disk'))),
      { signals, exit: true },
    )
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(exit.mock.calls).toEqual([[1]])
    expect(warning).toHaveBeenCalledWith(expect.stringContaining('disk'))
    const stoppable = node()
    const onSignal = (): void => {
      throw new Error('server')
    }
    stopOnSignals(stoppable, { signals, onSignal })
    process.emit('SIGUSR2', 'SIGUSR2')
    await settled()
    expect(stoppable.stops).toHaveLength(1)
    expect(process.exitCode).toBe(1)
  })
})
