import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const run = promisify(execFile)

/** Runs a file under `node --test`, from source; gives what the runner prints. */
async function underNodeTest(file: URL): Promise<string> {
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  // The runner refuses to run inside another one, and knows it by this variable.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await run(
    process.execPath,
    [...source, '--test', '--test-reporter=tap', fileURLToPath(file)],
    { env },
  )
  return stdout
}

it('the conformance suites run under node:test as under vitest', { timeout: 60_000 }, async () => {
  const output = await underNodeTest(new URL('./node-test/stores.ts', import.meta.url))
  expect(output).toMatch(/# Subtest: InmemStore as a LogStore/)
  expect(output).toMatch(/# Subtest: InmemSnapshotStore as a SnapshotStore/)
  expect(output).toMatch(/^# fail 0$/m)
  const passed = Number(/^# pass (\d+)$/m.exec(output)?.[1])
  expect(passed).toBeGreaterThan(100)
})
