import { beforeEach, describe, expect, it } from 'vitest'
import { Exclusive } from '../../../src/runtime/state-machine/exclusive.ts'
import { rejection } from '../../support/rejection.ts'

let freed: number
let exclusive: Exclusive

beforeEach(() => {
  freed = 0
  exclusive = new Exclusive(() => freed++)
})

function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open: () => open() }
}

describe('Exclusive', () => {
  it('has one user at a time, in the order in which they came', async () => {
    const order: string[] = []
    const first = gate()
    const runs = [
      exclusive.run(async () => {
        await first.opened
        order.push('first')
      }),
      exclusive.run(async () => void order.push('second')),
      exclusive.run(async () => void order.push('third')),
    ]
    expect(exclusive.isHeld).toBe(true)
    first.open()
    await Promise.all(runs)
    expect(order).toEqual(['first', 'second', 'third'])
    expect(freed).toBe(1)
    expect(exclusive.isHeld).toBe(false)
  })

  it('is handed on when a user fails', async () => {
    const failing = exclusive.run(() => Promise.reject(new Error('no')))
    const next = exclusive.run(async () => 'yes')
    await expect(failing).rejects.toThrow('no')
    expect(await next).toBe('yes')
  })

  it('lets nobody in once closed, and waits for its user', async () => {
    const first = gate()
    const using = exclusive.run(() => first.opened)
    const waiting = rejection(exclusive.run(async () => {}))
    let isClosed = false
    const closed = exclusive.close().then(() => (isClosed = true))
    expect((await waiting).code).toBe('RAFT_SHUTDOWN')
    expect((await rejection(exclusive.run(async () => {}))).code).toBe('RAFT_SHUTDOWN')
    expect(isClosed).toBe(false)
    first.open()
    await using
    await closed
    expect(freed).toBe(0)
  })
})
