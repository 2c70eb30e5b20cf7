// Fills the disk under a store, makes room again, goes on as if nothing had happened, and reports what became of it.
import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { LevelStore } from '@raftkit/store-level'
import { entries } from './entries.ts'

export interface FullDiskReport {
  readonly acknowledged: readonly number[]
  /** Codes of the appends that were refused, in order. */
  readonly refusals: readonly string[]
  /** Whether the store opened again, and which acknowledged entries it did not have. */
  readonly reopened: boolean
  readonly lost: readonly number[]
}

const [directory, means] = process.argv.slice(2) as [string, 'file-size-limit' | 'small-disk']
await mkdir(directory, { recursive: true })
const ballast = join(directory, 'ballast')

/** Makes real writes fail: no file of this process may grow further, or the file system is full. */
async function makeFull(): Promise<void> {
  if (means === 'file-size-limit') limitFileSize('300000')
  else await writeFile(ballast, Buffer.alloc(4 * 1024 * 1024)).catch(() => {})
}

async function makeRoom(): Promise<void> {
  if (means === 'file-size-limit') limitFileSize('unlimited')
  else await rm(ballast)
}

function limitFileSize(size: string): void {
  const args = ['--pid', `${process.pid}`, `--fsize=${size}:unlimited`]
  const { status, error, stderr } = spawnSync('prlimit', args)
  if (status !== 0) throw error ?? new Error(`prlimit: ${stderr.toString()}`)
}

const open = () => LevelStore.open(join(directory, 'store'), { writeBufferBytes: 2 ** 26 })

const store = await open()
const acknowledged: number[] = []
const refusals: string[] = []
let next = 1

async function append(): Promise<void> {
  try {
    await store.append([entries(next, 1, 1, 12_000)])
    acknowledged.push(next++)
  } catch (error) {
    refusals.push((error as { code: string }).code)
  }
}

while (next <= 20) await append()
await makeFull()
while (refusals.length < 3) await append()
await makeRoom()
for (let i = 0; i < 50; i++) await append()
await store.close()

let reopened = false
let lost: readonly number[] = acknowledged
try {
  await using again = await open()
  reopened = true
  const { lastIndex } = await again.bounds()
  lost = acknowledged.filter((index) => index > lastIndex)
} catch {
  // Reported as not reopened.
}
const report: FullDiskReport = { acknowledged, refusals, reopened, lost }
process.send!(report)
process.disconnect()
