import { expect, test } from 'vitest'
import { parseArguments, type Arguments } from '../src/arguments.ts'
import { catalogue } from '../src/catalogue/catalogue.ts'

const DAY_MS = 24 * 60 * 60 * 1000

function parsed(words: readonly string[], now = 0): Arguments {
  const result = parseArguments(words, now)
  if ('problem' in result) throw new Error(result.problem)
  return result
}

test('all mutants by default', () => {
  expect(parsed([])).toMatchObject({ mutants: catalogue, part: undefined, seconds: Infinity })
})

test('--only takes names', () => {
  const names = parsed(['--only', 'vote-twice,no-way-back']).mutants.map(({ name }) => name)
  expect(names).toEqual(['vote-twice', 'no-way-back'])
  expect(parseArguments(['--only', 'vote-thrice'], 0)).toEqual({
    problem: "there is no mutant 'vote-thrice'",
  })
})

test('--slice gives every mutant its day', () => {
  const slices = Math.ceil(catalogue.length / 8)
  const seen = new Set<string>()
  for (let day = 0; day < slices; day++) {
    const { mutants } = parsed(['--slice', '8'], day * DAY_MS)
    expect(mutants.length).toBeLessThanOrEqual(8)
    for (const { name } of mutants) seen.add(name)
  }
  expect(seen.size).toBe(catalogue.length)
  expect(parsed(['--slice', '8'], slices * DAY_MS)).toEqual(parsed(['--slice', '8'], 0))
})

test('numbers must be whole and positive', () => {
  expect(parseArguments(['--jobs', '0'], 0)).toHaveProperty('problem')
  expect(parseArguments(['--seconds', 'x'], 0)).toHaveProperty('problem')
})
