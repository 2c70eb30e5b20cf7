// Clusters under random loss, delay, duplication, reordering, slow disks, crashes and snapshots, from one seed each.
// After every step the invariants of Figure 3 hold; after the faults end, the cluster makes progress.
import { expect, test } from 'vitest'
import { runSeed } from './cluster/random-run.ts'

const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 1)
const SEEDS = Number(process.env['SEEDS'] ?? 300)

test(`${SEEDS} random runs keep every invariant and recover`, () => {
  let committed = 0
  for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
    try {
      committed += runSeed(seed).committed
    } catch (error) {
      throw new Error(`seed ${seed}: run it alone with FIRST_SEED=${seed} SEEDS=1`, {
        cause: error,
      })
    }
  }
  expect(committed).toBeGreaterThan(SEEDS)
})
