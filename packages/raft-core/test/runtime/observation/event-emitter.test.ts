import { beforeEach, describe, expect, it } from 'vitest'
import { EventEmitter } from '../../../src/runtime/observation/event-emitter.ts'
import { MemoryLogger } from '../../support/memory-logger.ts'

let logger: MemoryLogger
let emitter: EventEmitter<{ hello: string; bye: number }>
let heard: unknown[]

beforeEach(() => {
  logger = new MemoryLogger()
  emitter = new EventEmitter(logger)
  heard = []
})

describe('EventEmitter', () => {
  it('tells when it is flushed, in the order of what happened', () => {
    emitter.on('hello', (event) => heard.push(event))
    emitter.on('bye', (event) => heard.push(event))
    emitter.emit('bye', 1)
    emitter.emit('hello', 'a')
    expect(heard).toEqual([])
    emitter.flush()
    expect(heard).toEqual([1, 'a'])
  })

  it('goes on after a listener that throws, and logs it', () => {
    emitter.on('hello', () => {
      throw new Error('listener')
    })
    emitter.on('hello', (event) => heard.push(event))
    emitter.emit('hello', 'a')
    emitter.flush()
    expect(heard).toEqual(['a'])
    expect(logger.at('error')).toMatchObject([{ fields: { event: 'hello', error: 'listener' } }])
  })

  it('goes on after a listener that rejects, and logs it', async () => {
    emitter.on('hello', (): unknown => Promise.reject(new Error('listener')))
    emitter.on('hello', (event) => heard.push(event))
    emitter.emit('hello', 'a')
    emitter.flush()
    expect(heard).toEqual(['a'])
    await new Promise((resolve) => setImmediate(resolve))
    expect(logger.at('error')).toMatchObject([{ fields: { event: 'hello', error: 'listener' } }])
  })

  it('removes one of two equal listeners', () => {
    const listener = (event: string): void => void heard.push(event)
    const off = emitter.on('hello', listener)
    emitter.on('hello', listener)
    off()
    off()
    emitter.emit('hello', 'a')
    emitter.flush()
    expect(heard).toEqual(['a'])
  })

  it('tells what a listener makes happen, afterwards', () => {
    emitter.on('hello', () => emitter.emit('bye', 2))
    emitter.on('bye', (event) => heard.push(event))
    emitter.emit('hello', 'a')
    emitter.flush()
    expect(heard).toEqual([2])
  })
})
