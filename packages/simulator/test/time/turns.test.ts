import { expect, it } from 'vitest'
import { everyTurn } from '../../src/time/turns.ts'

it('lets every promise job run between two steps', async () => {
  const order: string[] = []
  const chain = async (step: number): Promise<void> => {
    for (let link = 0; link < 5; link++) await Promise.resolve()
    order.push(`jobs of ${step}`)
  }
  let step = 0
  await everyTurn(() => {
    order.push(`step ${++step}`)
    void chain(step)
    return step < 200
  })
  await chain(0)
  const expected = Array.from({ length: 200 }, (_, n) => [`step ${n + 1}`, `jobs of ${n + 1}`])
  expect(order.slice(0, 400)).toEqual(expected.flat())
})

it('rejects with what a step throws, and takes no further one', async () => {
  let steps = 0
  const turns = everyTurn(() => {
    if (++steps === 3) throw new Error('the third')
    return true
  })
  await expect(turns).rejects.toThrow('the third')
  await everyTurn(() => false)
  expect(steps).toBe(3)
})
