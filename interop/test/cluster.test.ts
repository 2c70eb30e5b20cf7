import { describe, expect, inject, it } from 'vitest'
import { everyCell, nameOf } from '../src/matrix.ts'
import { runCell } from '../src/run-cell.ts'

// A slice of `pnpm interop`, which runs every shape with every scenario.
const names = [
  '1xgo+2xnode pre-vote=on catch-up-snapshot:go',
  '2xgo+1xnode pre-vote=on catch-up-snapshot:node',
  '2xgo-1.6+1xnode pre-vote=on election:node',
]

describe.runIf(inject('hasGo'))('one cluster of Go and Node servers', () => {
  it.each(names)('%s', async (name) => {
    const cell = everyCell().find((candidate) => nameOf(candidate) === name)
    if (cell === undefined) throw new Error(`there is no run called ${name}`)
    const result = await runCell(cell)
    expect(result).toMatchObject({ passed: true, lost: 0 })
    expect(result.acknowledged).toBeGreaterThan(0)
    expect(result.comparedEntries).toBeGreaterThan(0)
  })
})
