import { defineProject } from 'vitest/config'

export default defineProject({
  resolve: { conditions: ['@raftkit/source'] },
  ssr: { resolve: { conditions: ['@raftkit/source'] } },
  test: {
    name: 'metrics',
    include: ['test/**/*.test.ts'],
    // A guard against hanging, far above what any test needs, also on a busy machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
