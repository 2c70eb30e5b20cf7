import { testStableStore } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import { inDirectories, killing } from '@raftkit/conformance/node'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { MyStore } from '../reference/file-store.ts'

const program = new URL('./file-store-child.ts', import.meta.url)
const nodeOptions = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]

function register(runner: Runner): void {
  testStableStore({
    runner,
    name: 'a store in a file',
    supports: { reopen: true, durable: true, checksums: false, tornWrites: false },
    ...inDirectories<MyStore>({
      open: (directory) => MyStore.open(directory),
      close: (store) => store.close(),
      program,
      nodeOptions,
    }),
  })
}

/** Titles of the cases with a killed process that fail. */
async function failedKills(): Promise<string[]> {
  const failed: string[] = []
  const cases: (() => Promise<void>)[] = []
  register({
    describe: (_name, body) => body(),
    it: (title, body) => {
      if (!title.includes('killed')) return
      cases.push(() => body().catch(() => void failed.push(title)))
    },
  })
  for (const each of cases) await each()
  return failed
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe('killing', { timeout: 300_000 }, () => {
  it('finds nothing wrong with a store that replaces its file', async () => {
    expect(await failedKills()).toEqual([])
  })

  it('finds a store out that acknowledges before it writes', async () => {
    vi.stubEnv('STORE_DEFECT', 'late')
    expect(await failedKills()).toContain(
      'has everything that was acknowledged when its process is killed',
    )
  })

  it('finds a store out that has no file between two renames', async () => {
    vi.stubEnv('STORE_DEFECT', 'gap')
    expect(await failedKills()).not.toEqual([])
  })

  it('says what a program printed that was not killed', async () => {
    const kill = killing({
      program: new URL('./no-such-child.ts', import.meta.url),
      newDirectory: async () => '.',
      open: (directory) => MyStore.open(directory),
    })
    await expect(kill({ script: 'stable', steps: 1 })).rejects.toThrow(
      /no-such-child\.ts was to be killed by itself and ended with 1/,
    )
  })
})
