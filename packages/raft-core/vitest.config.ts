import { defineProject } from 'vitest/config'

export default defineProject({
  resolve: { conditions: ['@raftkit/source'] },
  ssr: { resolve: { conditions: ['@raftkit/source'] } },
  test: { name: 'raft-core', include: ['test/**/*.test.ts'] },
})
