import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const program = fileURLToPath(new URL('../../bench/src/snapshot.ts', import.meta.url))

it('the snapshot benchmark gives its three numbers', { timeout: 120_000 }, async () => {
  const source = ['--conditions=@raftkit/source', '--import', import.meta.resolve('tsx')]
  const args = [...source, program, '--json', '--mebibytes', '1']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const { bytes, mebibytesPerSecond } = JSON.parse(stdout)
  expect(bytes).toBe(2 ** 20)
  expect(Object.keys(mebibytesPerSecond)).toEqual(['fileWrite', 'fileReadAndCheck', 'loopbackTcp'])
  for (const rate of Object.values(mebibytesPerSecond)) expect(rate).toBeGreaterThan(0)
})
