import type { MetricLabels } from '@raftkit/interface'
import { keyOf } from './label-key.ts'

interface Reader {
  readonly labels: MetricLabels
  readonly read: () => number | undefined
}

/** Who reads the values of one gauge: one reader for each set of label values. */
export class GaugeReaders {
  readonly #readers = new Map<string, Reader>()

  /** Adds a reader, or puts it in the place of the one with the same labels. The returned function takes it away. */
  add(labels: MetricLabels, read: () => number | undefined): () => void {
    const key = keyOf(labels)
    const reader = { labels, read }
    this.#readers.set(key, reader)
    return () => {
      if (this.#readers.get(key) === reader) this.#readers.delete(key)
    }
  }

  /** Calls `use` with each value there is. A reader that throws has none, and takes nobody else's. */
  each(use: (value: number, labels: MetricLabels) => void): void {
    for (const { labels, read } of this.#readers.values()) {
      const value = attempt(read)
      if (value !== undefined) use(value, labels)
    }
  }
}

function attempt(read: () => number | undefined): number | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
