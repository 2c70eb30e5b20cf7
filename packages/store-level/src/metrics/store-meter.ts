import {
  type Counter,
  guardedMetrics,
  type Histogram,
  type Metrics,
  silentLogger,
} from '@raftkit/interface'
import type { Changes, Database } from '../database/database.ts'
import { boundarySync, logEntries, write, writtenBytes } from './level-metrics.ts'

/** The measurements of one store. */
export class StoreMeter {
  readonly #metrics: Metrics
  readonly #write: Histogram
  readonly #boundarySync: Histogram
  readonly #writtenBytes: Counter
  #endGauge: () => void = () => {}

  constructor(given: Metrics) {
    const metrics = guardedMetrics(given, silentLogger)
    this.#metrics = metrics
    this.#write = metrics.histogram(write, {})
    this.#boundarySync = metrics.histogram(boundarySync, {})
    this.#writtenBytes = metrics.counter(writtenBytes, {})
  }

  /** The same database, its writes measured. */
  database(database: Database): Database {
    return {
      write: async (changes) => {
        await timed(this.#write, () => database.write(changes))
        this.#writtenBytes.add(bytesOf(changes))
      },
      get: (key) => database.get(key),
      scan: (range, options) => database.scan(range, options),
      keys: (range, order, count) => database.keys(range, order, count),
      close: () => database.close(),
    }
  }

  /** Measures a write of the boundary file. */
  boundaryWrite(work: () => Promise<void>): Promise<void> {
    return timed(this.#boundarySync, work)
  }

  /** The store is open: from now on its entries can be counted. */
  watch(entries: () => number): void {
    this.#endGauge = this.#metrics.gauge(logEntries, {}, entries)
  }

  close(): void {
    this.#endGauge()
  }
}

async function timed(histogram: Histogram, work: () => Promise<void>): Promise<void> {
  const startedAt = performance.now()
  await work()
  histogram.record((performance.now() - startedAt) / 1000)
}

function bytesOf({ puts = [] }: Changes): number {
  return puts.reduce((sum, [key, value]) => sum + key.byteLength + value.byteLength, 0)
}
