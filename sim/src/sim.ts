// `pnpm sim`: the simulator from the command line.
import { parseArguments, USAGE } from './arguments.ts'
import { runSeeds } from './run-seeds.ts'
import { shrinkSeed, traceSeed } from './one-seed.ts'

const parsed = parseArguments(process.argv.slice(2))
if ('problem' in parsed) {
  console.error(`${parsed.problem}\n\n${USAGE}`)
  process.exitCode = 2
} else if (parsed.mode === 'help') console.log(USAGE)
else {
  const modes = { run: runSeeds, trace: traceSeed, shrink: shrinkSeed }
  const isClean = await modes[parsed.mode](parsed)
  process.exitCode = isClean ? 0 : 1
}
