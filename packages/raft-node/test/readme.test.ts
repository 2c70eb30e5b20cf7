import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freeAddresses } from './disk-cluster.ts'

const packageDirectory = fileURLToPath(new URL('..', import.meta.url))
const require = createRequire(import.meta.url)
const tsx = pathToFileURL(require.resolve('tsx')).href
let directory: string

// A project of its own, in which the package is installed.
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raftkit-readme-'))
  await writeFile(join(directory, 'package.json'), '{ "type": "module" }')
  await mkdir(join(directory, 'node_modules', '@raftkit'), { recursive: true })
  await symlink(packageDirectory, join(directory, 'node_modules', '@raftkit', 'raft-node'), 'dir')
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

async function examplesOf(readme: string): Promise<readonly string[]> {
  const text = await readFile(readme, 'utf8')
  return Array.from(text.matchAll(/```ts\n(.*?)```/gs), ([, program]) => program ?? '')
}

const readme = join(packageDirectory, 'README.md')

async function run(program: string): Promise<readonly string[]> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--conditions=@raftkit/source', '--import', tsx, program],
    { cwd: directory, timeout: 25_000 },
  )
  return stdout.trim().split('\n')
}

describe('the programs in the README', () => {
  it('runs, keeps its state, logs with pino, and ends by itself', { timeout: 30_000 }, async () => {
    const [example = ''] = await examplesOf(readme)
    const [address] = await freeAddresses(1)
    const program = join(directory, 'program.ts')
    await writeFile(program, example.replaceAll('127.0.0.1:7001', address!))
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(20)
    for (const count of [5, 10]) {
      const lines = await run(program)
      expect(lines.filter((line) => !line.startsWith('{'))).toEqual([
        `after the command: ${count}`,
        `read back: ${count}`,
      ])
      const logged = lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as Record<string, unknown>)
      expect(logged[0]).toMatchObject({ name: 'raftkit', node: address })
    }
  })

  it('elect a leader, whose token only grows', { timeout: 30_000 }, async () => {
    const [, example = ''] = await examplesOf(readme)
    const [address] = await freeAddresses(1)
    const program = join(directory, 'election.ts')
    await writeFile(program, example.replaceAll('127.0.0.1:7101', address!))
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(20)
    const tokens: number[] = []
    for (let start = 0; start < 2; start += 1) {
      const said = (await run(program)).filter((line) => !line.startsWith('{'))
      const token = Number(said[0]?.split(' ').at(-1))
      expect(said).toEqual([1, 2, 3].map((job) => `job ${job} with token ${token}`))
      tokens.push(token)
    }
    expect(tokens[1]).toBeGreaterThan(tokens[0]!)
  })
})
