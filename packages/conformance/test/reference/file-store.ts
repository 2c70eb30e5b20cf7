// A store in one file as plain as can be, which every change replaces: what the example of the README tests.

import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type {
  EntryBatch,
  HardState,
  LogBounds,
  LogReadLimits,
  LogStore,
  StableStore,
} from '@raftkit/interface'
import { emptyData, MapStore } from './map-store.ts'
import type { StoreData } from './map-store.ts'

/** Makes the file what it is to be. */
export type Save = (path: string, text: string) => Promise<void>

/** Without a sync: what it writes outlives its process, but no power cut. */
const replaceFile: Save = async (path, text) => {
  await writeFile(`${path}.tmp`, text)
  await rename(`${path}.tmp`, path)
}

export class MyStore implements LogStore, StableStore {
  readonly #path: string
  readonly #inner: MapStore
  #turn: Promise<void> = Promise.resolve()

  readonly #save: Save

  private constructor(path: string, inner: MapStore, save: Save) {
    this.#save = save
    this.#path = path
    this.#inner = inner
  }

  static async open(directory: string, save: Save = replaceFile): Promise<MyStore> {
    const path = join(directory, 'store.json')
    const text = await readFile(path, 'utf8').catch(() => undefined)
    return new MyStore(path, new MapStore(text === undefined ? emptyData() : parsed(text)), save)
  }

  bounds = (): Promise<LogBounds> => this.#inner.bounds()
  read = (from: number, to: number, limits: LogReadLimits): Promise<EntryBatch> =>
    this.#inner.read(from, to, limits)
  append = (batches: readonly EntryBatch[]): Promise<void> =>
    this.#change(() => this.#inner.append(batches, {}, Infinity))
  truncateSuffix = (from: number): Promise<void> =>
    this.#change(() => this.#inner.truncateSuffix(from))
  truncatePrefix = (to: number): Promise<void> => this.#change(() => this.#inner.truncatePrefix(to))
  loadHardState = (): Promise<HardState | undefined> => this.#inner.loadHardState()
  saveHardState = (state: HardState): Promise<void> =>
    this.#change(() => this.#inner.saveHardState(state))
  get = (key: string): Promise<Uint8Array | undefined> => this.#inner.get(key)
  set = (key: string, value: Uint8Array): Promise<void> =>
    this.#change(() => this.#inner.set(key, value))

  async close(): Promise<void> {
    await this.#turn
    await this.#inner.close()
  }

  /** Makes the change, then replaces the file by one with everything in it. One after the other. */
  #change(change: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(async () => {
      await change()
      await this.#save(this.#path, textOf(this.#inner.data))
    })
    this.#turn = done.catch(() => {})
    return done
  }
}

function textOf({ entries, values, hardState }: StoreData): string {
  return JSON.stringify({
    hardState,
    values: [...values].map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
    entries: [...entries].map(([index, { term, type, bytes }]) => ({
      index,
      term,
      type,
      bytes: Buffer.from(bytes).toString('base64'),
    })),
  })
}

function parsed(text: string): StoreData {
  const { hardState, values, entries } = JSON.parse(text) as {
    hardState?: HardState
    values: [string, string][]
    entries: { index: number; term: number; type: 0; bytes: string }[]
  }
  return {
    hardState,
    commitIndex: 0,
    values: new Map(values.map(([key, value]) => [key, bytesOf(value)])),
    entries: new Map(
      entries.map(({ index, bytes, ...entry }) => [index, { ...entry, bytes: bytesOf(bytes) }]),
    ),
    corrupt: false,
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'))
}
