import { defineProject } from 'vitest/config'

export default defineProject({
  resolve: { conditions: ['@raftkit/source'] },
  ssr: { resolve: { conditions: ['@raftkit/source'] } },
  test: {
    name: 'interop',
    include: ['test/**/*.test.ts'],
    globalSetup: './test/build-peers.ts',
    // A guard against hanging, far above what any test needs, also on a busy machine.
    testTimeout: 180_000,
    hookTimeout: 180_000,
  },
})
