// The same seed gives the same run in any process, on any version of Node, however its memory and compiler are set.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { runSeed } from '@raftkit/simulator'

const run = promisify(execFile)
const SEEDS = [3, 5]

async function hashesHere(): Promise<readonly string[]> {
  const hashes: string[] = []
  for (const seed of SEEDS)
    hashes.push((await runSeed(seed, { reduction: { untilMs: 8000 } })).traceHash)
  return hashes
}

/** The hashes that another process gets. */
async function hashesOf(node: string, flags: readonly string[] = []): Promise<readonly string[]> {
  const child = fileURLToPath(new URL('trace-hash-child.ts', import.meta.url))
  const words = [...flags, '--conditions=@raftkit/source', '--import', 'tsx', child]
  const { stdout } = await run(node, [...words, ...SEEDS.map(String)])
  return stdout.trim().split('\n')
}

/** A Node of another major version, from npm's package `node`; a reason when it cannot be had. */
async function otherNode(): Promise<{ readonly path: string } | { readonly problem: string }> {
  const major = process.version.startsWith('v22.') ? 24 : 22
  const words = ['--yes', '--prefer-offline', '-p', `node@${major}`, '--', 'node', '-p']
  try {
    const { stdout } = await run('npx', [...words, 'process.execPath'])
    return { path: stdout.trim() }
  } catch (error) {
    const [line] = (error instanceof Error ? error.message : String(error)).split('\n')
    return { problem: `Node ${major} could not be had: ${line}` }
  }
}

describe('a seed', () => {
  it('gives the same run again', async () => {
    expect(await hashesHere()).toEqual(await hashesHere())
  })

  it('gives the same run in another process', async () => {
    expect(await hashesOf(process.execPath)).toEqual(await hashesHere())
  })

  it.each([
    ['little memory', ['--max-old-space-size=64', '--max-semi-space-size=1']],
    ['no optimizing compiler', ['--no-opt']],
  ])('gives the same run with %s', async (_, flags) => {
    expect(await hashesOf(process.execPath, flags)).toEqual(await hashesHere())
  })

  it('gives the same run on another version of Node', async ({ skip }) => {
    const other = await otherNode()
    if ('problem' in other) {
      // CI must have it. A machine without network says so and goes on.
      if (process.env['CI'] !== undefined) throw new Error(other.problem)
      console.warn(`skipped: ${other.problem}`)
      return skip(other.problem)
    }
    const { stdout } = await run(other.path, ['-p', 'process.version'])
    expect(stdout.trim()).not.toBe(process.version)
    expect(await hashesOf(other.path)).toEqual(await hashesHere())
  })
})
