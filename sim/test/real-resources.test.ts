import { expect, it } from 'vitest'
import { realResources } from '../src/real-resources.ts'

it('sees a timer while it is set', () => {
  const before = realResources()
  const timer = setTimeout(() => {}, 60_000)
  expect(realResources()).not.toBe(before)
  expect(realResources()).toContain('Timeout')
  clearTimeout(timer)
  expect(realResources()).toBe(before)
})
