import { expect, it } from 'vitest'
import { Milestones } from '../../src/metrics/milestones.ts'

it('tells when each point that is reached had set out, once', () => {
  const milestones = new Milestones()
  const arrived: number[] = []
  const reached = (index: number): number[] => {
    arrived.length = 0
    milestones.reached(index, (at) => arrived.push(at))
    return [...arrived]
  }
  milestones.begin(3, 10)
  milestones.begin(5, 20)
  milestones.begin(9, 30)
  expect(reached(2)).toEqual([])
  expect(reached(6)).toEqual([10, 20])
  expect(reached(6)).toEqual([])
  milestones.clear()
  expect(reached(100)).toEqual([])
})

it('remembers no more than it may, however long nothing arrives', () => {
  const milestones = new Milestones()
  for (let index = 1; index <= 10_000; index++) milestones.begin(index, index)
  let arrivals = 0
  milestones.reached(10_000, () => arrivals++)
  expect(arrivals).toBe(4096)
})
