// A worker for worker-pool.test.ts: dies of seed 2, never comes back from seed 4, and answers all others.
import type { Job } from '../src/messages.ts'

process.on('message', ({ seed }: Job) => {
  if (seed === 2) {
    console.error('seed 2 was too much')
    process.exit(3)
  }
  if (seed !== 4) process.send?.({ seed })
})

process.send?.('ready')
