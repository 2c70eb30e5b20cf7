// Run by simulate.test.ts in a process of its own: prints the trace hash of a seed.
import { runSeed } from '@raftkit/simulator'

const { traceHash } = await runSeed(Number(process.argv[2]))
console.log(traceHash)
