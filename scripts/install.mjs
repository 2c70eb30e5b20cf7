// Installs the workspace with the pinned pnpm, needing only Node and npm. Quiet and quick when nothing changed.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { packageManager } = JSON.parse(
  readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
)
const result = spawnSync(
  'npx',
  ['--yes', packageManager, 'install', '--frozen-lockfile', '--reporter=append-only'],
  {
    cwd: new URL('..', import.meta.url),
    env: { ...process.env, CI: 'true' },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    shell: process.platform === 'win32',
  },
)
if (result.status !== 0) {
  process.stderr.write(result.stdout ?? '')
  process.exit(result.status ?? 1)
}
