import { execFile } from 'node:child_process'
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'

const packageDirectory = fileURLToPath(new URL('..', import.meta.url))
const reference = join(packageDirectory, 'test', 'reference')
let directory: string

// A project of its own, in which the package is installed.
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raftkit-readme-'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  const scope = join(directory, 'node_modules', '@raftkit')
  for (const folder of [scope, join(directory, 'src'), join(directory, 'test')])
    await mkdir(folder, { recursive: true })
  for (const name of ['conformance', 'interface'])
    await symlink(join(packageDirectory, '..', name), join(scope, name), 'dir')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

/** The programs in the README, in their order. */
async function examples(): Promise<string[]> {
  const text = await readFile(join(packageDirectory, 'README.md'), 'utf8')
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program!)
}

/** Runs a file of the project under `node --test`, from source; gives what the runner prints. */
async function underNodeTest(file: string): Promise<string> {
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  // The runner refuses to run inside another one, and knows it by this variable.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [...source, '--test', '--test-reporter=tap', join(directory, file)],
    { cwd: directory, env, maxBuffer: 64 * 1024 * 1024 },
  )
  return stdout
}

it('the example of a store covers it in twenty lines', { timeout: 300_000 }, async () => {
  const [test, child] = await examples()
  expect(test!.trim().split('\n').length).toBeLessThanOrEqual(20)
  await copyFile(join(reference, 'file-store.ts'), join(directory, 'src', 'my-store.ts'))
  await copyFile(join(reference, 'map-store.ts'), join(directory, 'src', 'map-store.ts'))
  await writeFile(join(directory, 'test', 'my-store.test.ts'), test!)
  await writeFile(join(directory, 'test', 'my-store-child.ts'), child!)
  const output = await underNodeTest('test/my-store.test.ts')
  expect(output).toMatch(/# Subtest: MyStore as a LogStore/)
  expect(output).toMatch(/# Subtest: MyStore as a StableStore/)
  expect(output).toMatch(/when killed while appending/)
  expect(output).toMatch(/^# fail 0$/m)
  expect(Number(/^# pass (\d+)$/m.exec(output)?.[1])).toBeGreaterThan(100)
})

it('the example of a state machine runs, under node:test as under vitest', async () => {
  const test = (await examples())[2]!
  await copyFile(join(reference, 'inventory.ts'), join(directory, 'src', 'inventory.ts'))
  await writeFile(
    join(directory, 'test', 'inventory.test.ts'),
    test.replace("from 'vitest'", "from 'node:test'"),
  )
  const output = await underNodeTest('test/inventory.test.ts')
  expect(output).toMatch(/# Subtest: Inventory as a StateMachine/)
  expect(output).toMatch(/^# fail 0$/m)
})
