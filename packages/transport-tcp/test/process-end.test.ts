import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('./fixtures/open-use-close.ts', import.meta.url))

it.each(['plain', 'tls'])(
  'a closed transport does not keep the process alive: %s',
  async (kind) => {
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--conditions=@raftkit/source', program, kind],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    )
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()))
    const code = await new Promise((resolve) => child.on('close', resolve))
    expect(code).toBe(0)
    expect(output.trim().split('\n').at(-1)).toBe('left: []')
  },
)
