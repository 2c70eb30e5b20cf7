import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../bench/src/stores.ts', import.meta.url))

it('the benchmark of stores measures every call of each', { timeout: 120_000 }, async () => {
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  const args = [...source, program, '--json', '--seconds', '0.02']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { rows } = JSON.parse(stdout)
  const calls = [1, 16, 512].flatMap((count) => [
    `append ${count}`,
    `append ${count}, commit index`,
  ])
  const expected = [...calls, 'read 512', 'truncate suffix of 16', 'truncate prefix of 512']
  for (const store of ['store-inmem', 'store-level'])
    expect(rows.filter((row) => row.store === store).map(({ call }) => call)).toEqual(expected)
  for (const { calls: count, entriesPerSecond } of rows) {
    expect(count).toBeGreaterThan(0)
    expect(entriesPerSecond).toBeGreaterThan(0)
  }
})
