import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: ['packages/*', 'examples/*', 'interop', 'sim', 'scripts', 'mutants'],
    coverage: { provider: 'v8', include: ['packages/*/src/**'], thresholds: { lines: 80 } },
  },
})
