import { defineProject } from 'vitest/config'

export default defineProject({
  resolve: { conditions: ['@raftkit/source'] },
  ssr: { resolve: { conditions: ['@raftkit/source'] } },
  test: { name: 'kv', include: ['test/**/*.test.ts'] },
})
