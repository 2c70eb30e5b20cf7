// `pnpm interop [--json] [--short] [--keep] [--list] [--only <words>]`
// One cluster of Go and Node servers in every shape, through every scenario: real processes over TCP on this machine.
// `--only` takes words, all of which must be in the name of a run; it may be given several times.
import { parseArgs } from 'node:util'
import { buildPeers } from './go-program.ts'
import { everyCell, nameOf, shortSlice } from './matrix.ts'
import { type CellResult, runCell } from './run-cell.ts'
import { summarise } from './report.ts'

const { values: options } = parseArgs({
  // pnpm hands a lone `--` through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    json: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    only: { type: 'string', multiple: true, default: [] },
  },
})

const isWanted = (name: string): boolean =>
  options.only.length === 0 ||
  options.only.some((words) => words.split(/\s+/).every((word) => name.includes(word)))

const all = everyCell()
const cells = (options.short ? shortSlice(all) : all).filter((cell) => isWanted(nameOf(cell)))
if (options.list) for (const cell of cells) console.log(nameOf(cell))
else await runAll()

async function runAll(): Promise<void> {
  if (cells.length === 0) throw new Error('no run has a name with these words; see --list')
  await buildPeers()
  const results: CellResult[] = []
  for (const cell of cells) {
    const result = await runCell(cell, options.keep)
    results.push(result)
    if (!options.json) console.error(`${result.passed ? 'pass' : 'FAIL'}  ${result.name}`)
    if (!options.json && !result.passed) console.error(`      ${result.error}`)
  }
  const failed = results.filter((result) => !result.passed).length
  if (options.json)
    console.log(JSON.stringify({ passed: results.length - failed, failed, results }, null, 2))
  else console.log(summarise(results))
  if (failed > 0) process.exitCode = 1
}
