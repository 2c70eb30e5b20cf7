// What the machine itself can do and what else it is doing, so that a slow disk is told from slow code.
import {
  fdatasyncSync,
  openSync,
  rmSync,
  writeSync,
  closeSync,
  mkdtempSync,
  readFileSync,
} from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'

/** Median milliseconds of one 128-byte append with fdatasync to a plain file. */
export function rawSyncMs(times = 300): number {
  const directory = mkdtempSync(join(tmpdir(), 'raftkit-bench-disk-'))
  const file = openSync(join(directory, 'file'), 'w')
  const bytes = new Uint8Array(128)
  const samples: number[] = []
  try {
    for (let i = 0; i < times; i++) {
      const started = performance.now()
      writeSync(file, bytes)
      fdatasyncSync(file)
      samples.push(performance.now() - started)
    }
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true })
  }
  return samples.sort((a, b) => a - b)[times >> 1]!
}

/** CPU milliseconds that the whole machine has spent busy since it started; undefined where it cannot be read. */
export function busyMachineMs(): number | undefined {
  try {
    const fields = readFileSync('/proc/stat', 'utf8').split('\n')[0]!.trim().split(/\s+/).slice(1)
    const [user, nice, system, , , irq, softirq] = fields.map(Number)
    return (user! + nice! + system! + irq! + softirq!) * 10
  } catch {
    return undefined
  }
}

/** One line about the machine. */
export function describeMachine(): string {
  const processors = cpus()
  return `${processors.length} x ${processors[0]?.model ?? 'unknown processor'}, Node ${process.version}, ${process.platform}`
}
