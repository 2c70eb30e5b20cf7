import { defineProject } from 'vitest/config'

export default defineProject({
  resolve: { conditions: ['@raftkit/source'] },
  ssr: { resolve: { conditions: ['@raftkit/source'] } },
  test: { name: 'store-level', include: ['test/**/*.test.ts'], testTimeout: 60_000 },
})
