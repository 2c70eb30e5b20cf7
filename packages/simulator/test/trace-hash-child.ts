// Run by determinism.test.ts in a process of its own: prints the trace hashes of seeds, one per line.
import { runSeed } from '@raftkit/simulator'

// What loads TypeScript tidies up in a turn of its own after the start, and looks at the clock for that.
for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve))

for (const seed of process.argv.slice(2)) {
  const { traceHash, violation } = await runSeed(Number(seed), {
    guardRealTime: true,
    reduction: { untilMs: 8000 },
  })
  console.log(violation?.check ?? traceHash)
}
