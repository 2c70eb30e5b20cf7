import { describe, expect, it } from 'vitest'
import { type Arguments, parseArguments } from '../src/arguments.ts'

function parsed(line: string): Arguments {
  const result = parseArguments(line.split(' ').filter(Boolean), 5000)
  if ('problem' in result) throw new Error(result.problem)
  return result
}

function problemOf(line: string): string {
  const result = parseArguments(line.split(' '))
  return 'problem' in result ? result.problem : 'none'
}

describe('parseArguments', () => {
  it('takes fresh seeds from the clock when none are named', () => {
    expect(parsed('')).toMatchObject({ mode: 'run', range: { first: 5000, last: 5199 } })
    expect(parsed('--fresh 500 --regressions')).toMatchObject({
      range: { first: 5000, last: 5499 },
      regressions: true,
    })
  })

  it('takes a range or one seed', () => {
    expect(parsed('--seeds 3..9').range).toEqual({ first: 3, last: 9 })
    expect(parsed('--seed 7 --trace')).toMatchObject({
      mode: 'trace',
      range: { first: 7, last: 7 },
    })
    expect(parsed('--seed 7 --shrink').mode).toBe('shrink')
  })

  it('takes what a shrunk run needs', () => {
    const line =
      '--seed 7 --servers 3 --without loss,drift --acts 3,9 --until 4200 --clients 1 --calls 8 --variant 2'
    expect(parsed(line).reduction).toEqual({
      servers: 3,
      without: ['loss', 'drift'],
      acts: [3, 9],
      untilMs: 4200,
      clients: 1,
      calls: 8,
      variant: 2,
    })
    expect(parsed('--acts none').reduction).toEqual({ acts: [] })
    expect(parsed('').reduction).toEqual({})
  })

  it.each([
    ['--sed 1', "Unknown option '--sed'"],
    ['--seeds 5', "--seeds is '5', it must be A..B"],
    ['--seeds 5..2', "--seeds is '2', it must be a whole number from 5"],
    ['--seed 1.5', "--seed is '1.5', it must be a whole number"],
    ['--seed -1', 'argument is ambiguous'],
    ['--seed 1 --fresh 3', 'exclude each other'],
    ['--servers 8', "--servers is '8', it must be a whole number from 1 to 7"],
    ['--jobs 0', "--jobs is '0'"],
    ['--profile sunny', "there is no profile 'sunny': choose one of default"],
    ['--without rain', "--without has 'rain': choose from delay"],
    ['--acts 0', "--acts is '0'"],
    ['--trace', '--trace needs one --seed'],
    ['--seeds 1..2 --shrink', '--shrink needs one --seed'],
    ['--seed 1 --shrink --trace', 'choose one'],
    ['7', 'Unexpected argument'],
  ])('refuses %s', (line, problem) => {
    expect(problemOf(line)).toContain(problem)
  })
})
