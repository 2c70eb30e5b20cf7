// Clusters under random loss, delay, duplication, reordering, slow disks, crashes and snapshots, from one seed each.
// After every step the invariants of Figure 3 hold; after the faults end, the cluster makes progress.
// FIRST_SEED and SEEDS choose other seeds.
import { expect, test } from 'vitest'
import { runSeed } from './cluster/random-run.ts'

const FIRST_SEED = Number(process.env['FIRST_SEED'] ?? 1)
const SEEDS = Number(process.env['SEEDS'] ?? 240)
const PER_TEST = 10

for (let first = FIRST_SEED; first < FIRST_SEED + SEEDS; first += PER_TEST) {
  const last = Math.min(first + PER_TEST, FIRST_SEED + SEEDS) - 1
  test(`random runs from seed ${first} to ${last}`, () => {
    let committed = 0
    for (let seed = first; seed <= last; seed++) committed += runSeed(seed).committed
    expect(committed).toBeGreaterThan(last - first)
  }, 60_000)
}
