import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import type { BrokenSeed } from '../src/messages.ts'
import { WorkerPool } from '../src/worker-pool.ts'

it('reports seeds that kill or hang their worker, and runs all others', async () => {
  let seed = 0
  const done: number[] = []
  const broken: BrokenSeed[] = []
  const pool = new WorkerPool({
    workers: 1,
    program: fileURLToPath(new URL('bad-worker.ts', import.meta.url)),
    execArgv: ['--conditions=@raftkit/source', '--import', 'tsx'],
    nextJob: () =>
      seed < 6 ? { seed: ++seed, profile: 'default', reduction: {}, canary: false } : undefined,
    patienceMs: 2000,
    onSeed: (message) => done.push(message.seed),
    onBroken: (found) => broken.push(found),
  })
  await pool.run()
  expect(done).toEqual([1, 3, 5, 6])
  expect(broken.map(({ job }) => job.seed)).toEqual([2, 4])
  expect(broken[0]!.reason).toContain('its worker process ended with code 3')
  expect(broken[0]!.reason).toContain('seed 2 was too much')
  expect(broken[1]!.reason).toContain('it did not end within 2 s')
})
