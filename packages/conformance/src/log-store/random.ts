import assert from 'node:assert/strict'
import { LogType } from '@raftkit/interface'
import type { Index, LogStore } from '@raftkit/interface'
import type { StoreManifest } from '../manifest.ts'
import { sampleBytes } from '../sample-bytes.ts'
import { batchOf } from '../sample-entries.ts'
import type { SampleEntry } from '../sample-entries.ts'
import type { Workbench } from '../store-bench.ts'
import { assertHolds, assertReads } from './case.ts'
import type { LogStoreCase } from './case.ts'

const STEPS = 120

/** Cases that compare the store with an array, step by step, on random changes. A failure names its seed and step. */
export function randomCases(test: LogStoreCase, supports: StoreManifest): void {
  for (const seed of [1, 2, 3])
    test(`behaves as an array of entries through ${STEPS} random steps (seed ${seed})`, async (store, bench) => {
      const run = new RandomRun(store, bench, supports, seed)
      for (let step = 1; step <= STEPS; step++) {
        try {
          await run.step()
        } catch (error) {
          assert.fail(`seed ${seed}, step ${step}, ${run.doing}: ${String(error)}`)
        }
      }
    })
}

/** A store, the array it must agree with, and chance. */
class RandomRun {
  #store: LogStore
  readonly #bench: Workbench<LogStore>
  readonly #supports: StoreManifest
  #state: number
  #first: Index = 1
  #entries: SampleEntry[] = []
  #term = 1
  /** What the step does, for messages. */
  doing = 'nothing'

  constructor(store: LogStore, bench: Workbench<LogStore>, supports: StoreManifest, seed: number) {
    this.#store = store
    this.#bench = bench
    this.#supports = supports
    this.#state = seed
  }

  async step(): Promise<void> {
    const dice = this.#roll(10)
    if (dice < 4) await this.#append()
    else if (dice < 5) await this.#truncateSuffix()
    else if (dice < 6) await this.#truncatePrefix()
    else if (dice < 9) await this.#read()
    else await this.#reopen()
    await assertHolds(this.#store, this.#first, this.#entries)
  }

  async #append(): Promise<void> {
    if (this.#entries.length === 0)
      this.#first = this.#roll(3) === 0 ? 2 ** 32 - 5 : this.#roll(300) + 1
    this.#term += this.#roll(3)
    const batches = Array.from({ length: 1 + this.#roll(3) }, () => {
      const added = Array.from({ length: 1 + this.#roll(20) }, () => this.#entry())
      const batch = batchOf(this.#next, added)
      this.#entries.push(...added)
      return batch
    })
    this.doing = `append ${batches[0]?.firstIndex}..${this.#next - 1}`
    await this.#store.append(batches)
  }

  async #truncateSuffix(): Promise<void> {
    const from = Math.max(1, this.#next + 1 - this.#roll(25))
    this.doing = `truncate the suffix from ${from}`
    this.#entries.length = Math.min(this.#entries.length, Math.max(0, from - this.#first))
    await this.#store.truncateSuffix(from)
  }

  async #truncatePrefix(): Promise<void> {
    const to = this.#first - 1 + this.#roll(25)
    this.doing = `truncate the prefix to ${to}`
    this.#first += this.#entries.splice(0, to + 1 - this.#first).length
    await this.#store.truncatePrefix(to)
  }

  async #read(): Promise<void> {
    if (this.#entries.length === 0) return
    const skipped = this.#roll(this.#entries.length)
    const from = this.#first + skipped
    const to = Math.min(this.#next - 1, from + this.#roll(40))
    const maxBytes = this.#roll(3000)
    this.doing = `read ${from}..${to}, at most ${maxBytes} bytes`
    const expected: SampleEntry[] = []
    let size = 0
    for (const entry of this.#entries.slice(skipped, skipped + to - from + 1)) {
      size += entry.bytes.length
      if (expected.length > 0 && size > maxBytes) break
      expected.push(entry)
    }
    await assertReads(this.#store, from, to, expected, { maxBytes })
  }

  async #reopen(): Promise<void> {
    const { durable, reopen } = this.#supports
    this.doing = 'reopen'
    if (durable) await assertHolds(await this.#bench.crash(this.#store), this.#first, this.#entries)
    if (reopen) this.#store = await this.#bench.reopen(this.#store)
  }

  get #next(): Index {
    return this.#first + this.#entries.length
  }

  #entry(): SampleEntry {
    const size = this.#roll(8) === 0 ? this.#roll(5000) : this.#roll(60)
    const type = this.#roll(2) === 0 ? LogType.command : LogType.barrier
    return { term: this.#term, type, bytes: sampleBytes(size, this.#roll(2 ** 20)) }
  }

  /** A whole number from 0 to below `sides`; the same in the same order for the same seed. */
  #roll(sides: number): number {
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#state / 2 ** 32) * sides)
  }
}
