// `pnpm bench:stores [--json] [--seconds 1]`
// The log stores call by call, one call after the other: appends of 1, 16 and 512 entries of 128 bytes, synced, with and
// without a commit index beside them in turn; reads; truncations of both ends. Each measurement takes so many seconds.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { EntryBatch, type Index, type LogStore } from '@raftkit/interface'
import { InmemStore } from '@raftkit/store-inmem'
import { LevelStore } from '@raftkit/store-level'
import { describeMachine } from './machine.ts'
import { median } from './row.ts'
import { aligned } from './table.ts'

const ENTRY_BYTES = 128
const APPENDED = [1, 16, 512]
/** Entries in the log that is read and truncated, at most. */
const MOST_ENTRIES = 200_000
/** Bytes of entries that a log may come to while appends are measured. */
const MOST_BYTES = 256 * 2 ** 20

const { values: options } = parseArgs({
  // pnpm hands a lone `--` through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    json: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '1' },
  },
})

/** One measurement. */
interface Measured {
  readonly store: string
  readonly call: string
  readonly calls: number
  readonly medianMicroseconds: number
  readonly entriesPerSecond: number
}

function batchOf(firstIndex: Index, count: number): EntryBatch {
  const offsets = Array.from({ length: count + 1 }, (_, i) => i * ENTRY_BYTES)
  const bytes = new Uint8Array(count * ENTRY_BYTES).map((_, place) => (place * 31) & 0xff)
  const terms = Array.from({ length: count }, () => 1)
  return new EntryBatch(
    firstIndex,
    bytes,
    offsets,
    terms,
    terms.map(() => 0),
  )
}

/** Calls again and again until the time is over, or there is nothing left to do (`false`); gives each call's time. */
async function timed(seconds: number, call: () => Promise<boolean>): Promise<number[]> {
  const times: number[] = []
  const end = performance.now() + seconds * 1000
  for (let now = performance.now(); now < end;) {
    const goesOn = await call()
    const after = performance.now()
    times.push((after - now) * 1000)
    now = after
    if (!goesOn) break
  }
  return times
}

function measured(
  store: string,
  call: string,
  entries: number,
  times: readonly number[],
): Measured {
  const all = times.reduce((sum, time) => sum + time, 0)
  return {
    store,
    call,
    calls: times.length,
    medianMicroseconds: median(times),
    entriesPerSecond: (entries * times.length) / (all / 1e6),
  }
}

/** Appends of `count` entries, each second one with a commit index; gives both, and how much longer those take. */
async function appends(
  name: string,
  store: LogStore,
  count: number,
  seconds: number,
): Promise<{ readonly rows: Measured[]; readonly ratio: number }> {
  let { lastIndex } = await store.bounds()
  const most = lastIndex + Math.floor(MOST_BYTES / ENTRY_BYTES)
  const [plain, told]: [number[], number[]] = [[], []]
  await timed(2 * seconds, async () => {
    for (const isTold of [false, true]) {
      const batch = batchOf(lastIndex + 1, count)
      const from = performance.now()
      await store.append([batch], isTold ? { commitIndex: lastIndex } : {})
      ;(isTold ? told : plain).push((performance.now() - from) * 1000)
      lastIndex = batch.lastIndex
    }
    return lastIndex < most
  })
  const rows = [
    measured(name, `append ${count}`, count, plain),
    measured(name, `append ${count}, commit index`, count, told),
  ]
  // Of neighbours: what else goes on in the machine meets both.
  return { rows, ratio: median(told.map((time, place) => time / plain[place]!)) }
}

async function others(name: string, store: LogStore, seconds: number): Promise<Measured[]> {
  const count = 512
  let { lastIndex } = await store.bounds()
  while (lastIndex < MOST_ENTRIES) {
    await store.append([batchOf(lastIndex + 1, count)])
    lastIndex += count
  }
  const { firstIndex } = await store.bounds()
  let from = firstIndex
  const reads = await timed(seconds, async () => {
    const batch = await store.read(from, from + count - 1, { maxBytes: count * ENTRY_BYTES })
    from = batch.lastIndex + count > lastIndex ? firstIndex : batch.lastIndex + 1
    return true
  })
  const suffixes = await timed(seconds, async () => {
    lastIndex -= 16
    await store.truncateSuffix(lastIndex + 1)
    return lastIndex > MOST_ENTRIES / 2
  })
  let first = firstIndex
  const prefixes = await timed(seconds, async () => {
    first += count
    await store.truncatePrefix(first - 1)
    return first + count < lastIndex
  })
  return [
    measured(name, `read ${count}`, count, reads),
    measured(name, 'truncate suffix of 16', 16, suffixes),
    measured(name, `truncate prefix of ${count}`, count, prefixes),
  ]
}

async function measure(seconds: number): Promise<{ rows: Measured[]; ratios: string[] }> {
  const directory = await mkdtemp(join(tmpdir(), 'raftkit-bench-'))
  const stores = [
    { name: 'store-inmem', open: async () => new InmemStore() },
    { name: 'store-level', open: async () => LevelStore.open(join(directory, 'level')) },
  ]
  const rows: Measured[] = []
  const ratios: string[] = []
  try {
    for (const { name, open } of stores) {
      await using store = await open()
      for (const count of APPENDED) {
        const appended = await appends(name, store, count, seconds)
        rows.push(...appended.rows)
        ratios.push(`${name}, append ${count}: ${appended.ratio.toFixed(3)}`)
      }
      rows.push(...(await others(name, store, seconds)))
    }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
  return { rows, ratios }
}

function tableOf(rows: readonly Measured[]): string {
  return aligned([
    ['store', 'call', 'calls', 'median µs', 'entries/s'],
    ...rows.map(({ store, call, calls, medianMicroseconds, entriesPerSecond }) => [
      store,
      call,
      String(calls),
      medianMicroseconds.toFixed(1),
      Math.round(entriesPerSecond).toLocaleString('en'),
    ]),
  ])
}

const seconds = Number(options.seconds)
if (!(seconds > 0 && seconds <= 60))
  throw new RangeError('--seconds is a number from above 0 to 60')
const machine = describeMachine()
const { rows, ratios } = await measure(seconds)
if (options.json) console.log(JSON.stringify({ machine, rows }))
else {
  console.log(machine)
  console.log(tableOf(rows))
  console.log(`with a commit index, times as long: ${ratios.join('; ')}`)
}
