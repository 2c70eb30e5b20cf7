// The command as users have it: arguments in, text and exit code out.
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Outcome {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const program = fileURLToPath(new URL('../src/sim.ts', import.meta.url))

function sim(line: string): Promise<Outcome> {
  const words = ['--conditions=@raftkit/source', '--import', 'tsx', program, ...line.split(' ')]
  return new Promise((resolve) => {
    execFile(process.execPath, words, { maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

interface Report {
  readonly clean: boolean
  readonly seeds: number
  readonly first: number
  readonly last: number
  readonly failures: readonly { readonly seed: number; readonly replay: string }[]
}

describe('pnpm sim', () => {
  it('explains itself', async () => {
    const { code, stdout } = await sim('--help')
    expect(code).toBe(0)
    expect(stdout).toContain('--shrink')
    expect(stdout).toContain('Exit code')
  })

  it('refuses wrong arguments with code 2', async () => {
    const { code, stderr } = await sim('--seeds 9')
    expect(code).toBe(2)
    expect(stderr).toContain("--seeds is '9', it must be A..B")
  })

  it('runs fresh seeds and prints which', async () => {
    const before = Date.now()
    const { code, stdout } = await sim('--fresh 3 --jobs 1 --until 1000')
    expect(code).toBe(0)
    const [, first, last] = /^seeds (\d+)\.\.(\d+), profile default/.exec(stdout) ?? []
    expect(Number(first)).toBeGreaterThanOrEqual(before)
    expect(Number(last)).toBe(Number(first) + 2)
    expect(stdout).toContain('3 seeds: nothing wrong')
    expect(stdout).toMatch(/\d+ simulated seconds in .* seeds per minute and core/)
  })

  it('reports for programs', async () => {
    const { code, stdout } = await sim('--seeds 4..5 --jobs 2 --until 1000 --servers 3 --json')
    expect(code).toBe(0)
    const report = JSON.parse(stdout) as Report
    expect(report).toMatchObject({ clean: true, seeds: 2, first: 4, last: 5, failures: [] })
  })

  it('tells one seed line by line', async () => {
    const { code, stdout } = await sim('--seed 1 --profile calm --servers 1 --until 2000 --trace')
    expect(code).toBe(0)
    expect(stdout).toMatch(/ n1 +is leader in term 2/)
    expect(stdout).toMatch(/seed 1: nothing wrong, trace [0-9a-f]{16}/)
  })

  it('fails with a transcript when something is wrong, and the printed command shows it again', async () => {
    const { code, stdout } = await sim('--seeds 1..2 --profile tiny --canary --json')
    expect(code).toBe(1)
    const [failure] = (JSON.parse(stdout) as Report).failures
    expect(failure?.replay).toContain('--profile tiny')
    const again = await sim(`${failure?.replay} --trace`)
    expect(again.code).toBe(1)
    expect(again.stdout).toContain('violates: determinism')
    expect(again.stdout).toContain('The last things that happened:')
  })

  it('shrinks a failing seed and prints the command that replays the small run', async () => {
    const { code, stdout, stderr } = await sim(
      '--seed 2 --profile tiny --servers 3 --max-runs 60 --canary --shrink',
    )
    expect(code).toBe(1)
    expect(stderr).toMatch(/run \d+: \d+ events/)
    expect(stdout).toContain('seed 2 violates: determinism')
    const command = / {2}pnpm sim (--seed 2 .*--canary) --trace/.exec(stdout)?.[1] ?? ''
    expect(command).toContain('--without')
    const again = await sim(`${command} --trace`)
    expect(again.code).toBe(1)
    expect(again.stdout).toContain('violates: determinism')
  })
})
