// The examples of the READMEs run and print what they say. Those of raft-node and conformance have tests of their own.
import { execFile } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, it } from 'vitest'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))
let directory

// A project of its own, in which every package is installed.
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'raftkit-readmes-'))
  writeFileSync(join(directory, 'package.json'), '{ "type": "module" }')
  const scope = join(directory, 'node_modules', '@raftkit')
  mkdirSync(scope, { recursive: true })
  for (const name of readdirSync(packages)) symlinkSync(join(packages, name), join(scope, name))
  const modules = join(packages, 'metrics', 'node_modules', 'prom-client')
  symlinkSync(modules, join(directory, 'node_modules', 'prom-client'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function exampleOf(name) {
  const text = readFileSync(join(packages, name, 'README.md'), 'utf8')
  const [, program] = /```ts\n(.*?)```/s.exec(text) ?? []
  if (program === undefined) throw new Error(`the README of ${name} has no program`)
  return program
}

/** What the program prints, line by line. */
async function run(program) {
  const path = join(directory, 'program.ts')
  writeFileSync(path, program)
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  const { stdout } = await promisify(execFile)(process.execPath, [...source, path], {
    cwd: directory,
  })
  return stdout.trim().split('\n')
}

async function freePort() {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

const bounds = '{ firstIndex: 1, lastIndex: 1 }'

it.each([
  ['interface', [/^$/]],
  ['wire', [/^hello$/]],
  ['raft-core', [/^7$/]],
  ['metrics', [/^raft_applies_total\{server="a"\} 1$/]],
  ['store-inmem', [new RegExp(`^${bounds}$`), /id: '1-1-/]],
  ['store-level', [new RegExp(`^${bounds}$`), /^EntryBatch /]],
  ['snapshot-file', [/^the whole state$/]],
  ['transport-inmem', [/type: 'timeout-now'/, /^RAFT_RPC_TIMEOUT$/]],
  ['transport-network', [/^$/]],
  ['transport-tcp', [/^timeout-now$/]],
  ['transport-ws', [/^listens at 127\.0\.0\.1:\d+$/]],
])('the example of %s runs', { timeout: 120_000 }, async (name, expected) => {
  const program = exampleOf(name)
  expect(program.trim().split('\n').length).toBeLessThanOrEqual(25)
  const lines = await run(program.replaceAll('7080', String(await freePort())))
  for (const words of expected) expect(lines.join('\n')).toMatch(new RegExp(words.source, 'm'))
})
