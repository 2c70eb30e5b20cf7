import { ClassicLevel } from 'classic-level'

/** A half-open or closed range of keys, in ascending order. */
export interface KeyRange {
  /** First key, inclusive. */
  readonly from: Uint8Array
  /** Last key, inclusive. */
  readonly to?: Uint8Array
  /** The key to stop before. */
  readonly before?: Uint8Array
}

/** Changes that become visible and durable together. */
export interface Changes {
  readonly puts?: readonly (readonly [key: Uint8Array, value: Uint8Array])[]
  readonly deletes?: readonly Uint8Array[]
}

export interface ScanOptions {
  /** Most records of one step of the scan. */
  readonly count: number
  /** Bytes after which a step of the scan ends. */
  readonly maxBytes: number
}

/** What the store needs of a database: the seam at which tests let it fail. */
export interface Database {
  /** Resolves when all changes are durable, as one atomic write. */
  write(changes: Changes): Promise<void>
  get(key: Uint8Array): Promise<Uint8Array | undefined>
  /** The records of a range as they are at this moment, in ascending order and in steps. */
  scan(range: KeyRange, options: ScanOptions): AsyncIterable<readonly [Uint8Array, Uint8Array][]>
  /** The keys of a range as they are at this moment, `count` at a time. */
  keys(
    range: KeyRange,
    order: 'ascending' | 'descending',
    count: number,
  ): AsyncIterable<readonly Uint8Array[]>
  close(): Promise<void>
}

export interface DatabaseOptions {
  /** Whether to make a database where none is. */
  readonly createIfMissing: boolean
  readonly writeBufferBytes: number
  readonly cacheBytes: number
}

/** Opens the LevelDB database in a directory, which is locked until it is closed. */
export async function openDatabase(path: string, options: DatabaseOptions): Promise<Database> {
  const level = new ClassicLevel<Uint8Array, Uint8Array>(path, {
    keyEncoding: 'view',
    valueEncoding: 'view',
    createIfMissing: options.createIfMissing,
    writeBufferSize: options.writeBufferBytes,
    cacheSize: options.cacheBytes,
  })
  await level.open()
  return new LevelDatabase(level)
}

class LevelDatabase implements Database {
  readonly #level: ClassicLevel<Uint8Array, Uint8Array>

  constructor(level: ClassicLevel<Uint8Array, Uint8Array>) {
    this.#level = level
  }

  async write({ puts = [], deletes = [] }: Changes): Promise<void> {
    const first = puts[0]
    if (first !== undefined && puts.length === 1 && deletes.length === 0)
      return this.#level.put(first[0], first[1], { sync: true })
    const batch = this.#level.batch()
    for (const key of deletes) batch.del(key)
    for (const [key, value] of puts) batch.put(key, value)
    return batch.write({ sync: true })
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#level.get(key)
  }

  async *scan(
    range: KeyRange,
    { count, maxBytes }: ScanOptions,
  ): AsyncGenerator<[Uint8Array, Uint8Array][], void, undefined> {
    const iterator = this.#level.iterator({ ...bounds(range), highWaterMarkBytes: maxBytes })
    try {
      for (;;) {
        const records = await iterator.nextv(count)
        if (records.length === 0) return
        yield records
      }
    } finally {
      await iterator.close()
    }
  }

  async *keys(
    range: KeyRange,
    order: 'ascending' | 'descending',
    count: number,
  ): AsyncGenerator<readonly Uint8Array[], void, undefined> {
    const iterator = this.#level.keys({ ...bounds(range), reverse: order === 'descending' })
    try {
      for (;;) {
        const keys = await iterator.nextv(count)
        if (keys.length === 0) return
        yield keys
      }
    } finally {
      await iterator.close()
    }
  }

  close(): Promise<void> {
    return this.#level.close()
  }
}

function bounds(range: KeyRange): { gte: Uint8Array; lte?: Uint8Array; lt?: Uint8Array } {
  return {
    gte: range.from,
    ...(range.to && { lte: range.to }),
    ...(range.before && { lt: range.before }),
  }
}
