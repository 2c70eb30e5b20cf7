/** The two words that every test runner has: vitest, node:test, mocha, jest, bun and others fit as they are. */
export interface Runner {
  readonly describe: (name: string, body: () => void) => unknown
  readonly it: (name: string, body: () => Promise<void>) => unknown
}
