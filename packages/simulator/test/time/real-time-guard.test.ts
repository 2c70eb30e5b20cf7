import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

function run(stray: string): string {
  const path = fileURLToPath(new URL('stray-child.ts', import.meta.url))
  const node = ['--conditions=@raftkit/source', '--import', 'tsx', path, stray]
  return execFileSync(process.execPath, node, { encoding: 'utf8' })
}

it('finds nothing in a machine that asks for nothing', () => {
  expect(run('nothing')).toBe('fine\n')
})

it.each(['Date.now', 'new Date', 'Math.random', 'setTimeout'])(
  'reports %s, and who called it',
  (stray) => {
    const lines = run(stray).split('\n')
    expect(lines[0]).toBe(`nothing but the seed: something called ${stray}`)
    expect(lines.slice(1).join('\n')).toContain('strayApply')
  },
)

it.each(['performance.now', 'crypto.randomUUID', 'AbortSignal.timeout', 'setImmediate'])(
  'reports %s',
  (stray) => {
    expect(run(stray)).toContain(`something called ${stray}`)
  },
)
