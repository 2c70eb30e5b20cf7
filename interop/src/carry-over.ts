import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type ImportedLog, importLog } from '@raftkit/store-level'
import { goPrograms } from './server-kind.ts'

/**
 * Makes the data directory of a Node server of that of a stopped Go server: log, term and vote through an export,
 * snapshots as they are. The Go server must not run again.
 */
export async function carryOver(options: {
  readonly from: string
  readonly to: string
  readonly serverId: string
}): Promise<ImportedLog> {
  const { from, to, serverId } = options
  await mkdir(to, { recursive: true })
  await cp(join(from, 'snapshots'), join(to, 'snapshots'), { recursive: true })
  const stdio = ['ignore', 'pipe', 'inherit'] as const
  const exporting = spawn(goPrograms.go, ['export-log', from], { stdio: [...stdio] })
  const ended = once(exporting, 'exit') as Promise<[code: number | null]>
  const source = exporting.stdout
  const importing = importLog({ directory: join(to, 'log'), source, serverId })
  importing.catch(() => {}) // An export that failed is the reason, and said first.
  const [code] = await ended
  if (code !== 0) throw new Error(`the export ended with code ${code}`)
  return importing
}
