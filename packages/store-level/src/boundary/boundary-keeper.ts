import type { Boundary, BoundaryFile } from './boundary-file.ts'
import type { Handle } from '../handle.ts'
import type { StoreMeter } from '../metrics/store-meter.ts'

/**
 * Keeps the boundary file up with the database. The order of writes is what makes the file trustworthy:
 *
 * - *Raising* follows the database: the file names an entry, a vote or a value only after the database has synced
 *   it. So no crash leaves a file that promises more than the database holds, and no false alarm follows.
 * - *Lowering* goes ahead of the database: before entries are cut off the end, both slots are made to promise only
 *   what will remain. A crash in between leaves a database that holds more than was promised, which is fine, and
 *   later damage to one slot cannot bring the higher promise back.
 *
 * Term, vote and small values are in the file before their promise resolves. The log follows within `delayMs` of
 * the database's sync (before the promise resolves when that is 0), so that many appends share one sync of the file.
 */
export class BoundaryKeeper {
  readonly #file: BoundaryFile
  readonly #handle: Handle
  readonly #delayMs: number
  readonly #meter: StoreMeter | undefined
  #current: Boundary
  #written: Boundary
  #turn: Promise<void> = Promise.resolve()
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(file: BoundaryFile, handle: Handle, delayMs: number, meter?: StoreMeter) {
    this.#meter = meter
    this.#file = file
    this.#handle = handle
    this.#delayMs = delayMs
    this.#current = file.found
    this.#written = file.found
  }

  /** The database has synced these ends of the log: have the file say so in time. */
  async raise(log: Pick<Boundary, 'lastIndex' | 'lastTerm' | 'logChecksum'>): Promise<void> {
    this.#current = { ...this.#current, ...log }
    if (this.#delayMs === 0) return this.sync()
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.sync().catch(() => {}) // The handle has noted the failure; the next call reports it.
    }, this.#delayMs)
  }

  /** Resolves when the file says this. */
  async record(changes: Partial<Boundary>): Promise<void> {
    this.#current = { ...this.#current, ...changes }
    await this.sync()
  }

  /** Resolves when both slots say this: for promises that are taken back. */
  async recordTwice(changes: Partial<Boundary>): Promise<void> {
    await this.record(changes)
    this.#current = { ...this.#current }
    await this.sync()
  }

  /** Resolves when the file says everything that was raised so far. */
  sync(): Promise<void> {
    const turn = this.#turn.then(async () => {
      const boundary = this.#current
      if (boundary === this.#written) return
      this.#handle.checkDisk()
      const write = (): Promise<void> => this.#file.write(boundary)
      await this.#handle.use(() => this.#meter?.boundaryWrite(write) ?? write())
      this.#written = boundary
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  /** Writes what is outstanding, unless the store has failed, and closes the file. */
  async close(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      if (!this.#handle.failed) await this.sync()
      else await this.#turn
    } finally {
      await this.#file.close()
    }
  }
}
