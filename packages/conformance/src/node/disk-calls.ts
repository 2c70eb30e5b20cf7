// Counts the calls with which this process makes the disk change for good, and ends it in front of one of them.

import fs from 'node:fs'
import { open } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

/** What is watched, by the object that has it. Calls from native code pass unseen. */
const NAMES = [
  'fsync',
  'fsyncSync',
  'fdatasync',
  'fdatasyncSync',
  'rename',
  'renameSync',
  'ftruncate',
  'ftruncateSync',
  'truncate',
  'truncateSync',
  'unlink',
  'unlinkSync',
  'sync',
  'datasync',
]

/** Disk calls since the last {@link DiskCalls.begin}. */
export class DiskCalls {
  #count = 0
  #fatal: number | undefined
  readonly #end: () => void

  private constructor(end: () => void) {
    this.#end = end
  }

  /** Watches from now on; `end` ends the process. */
  static async watch(end: () => void): Promise<DiskCalls> {
    const calls = new DiskCalls(end)
    const file = await open(process.execPath)
    const handles: unknown = Object.getPrototypeOf(file)
    await file.close()
    for (const owner of [fs, fs.promises, handles])
      for (const name of NAMES) calls.#replace(owner as object, name)
    syncBuiltinESMExports()
    return calls
  }

  get count(): number {
    return this.#count
  }

  /** Counts anew; the process ends in front of the call of that number. */
  begin(fatal: number | undefined): void {
    this.#count = 0
    this.#fatal = fatal
  }

  #replace(owner: object, name: string): void {
    const original: unknown = Reflect.get(owner, name)
    if (typeof original !== 'function') return
    const take = (): void => {
      if (++this.#count === this.#fatal) this.#end()
    }
    Object.defineProperty(owner, name, {
      configurable: true,
      writable: true,
      value: function watched(this: unknown, ...args: readonly unknown[]): unknown {
        take()
        return Reflect.apply(original, this, args) as unknown
      },
    })
  }
}
