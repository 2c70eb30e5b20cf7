// `pnpm bench [--json] [--rounds N] [--seconds S] [--clients 1,16,…] [--stores store-level,store-inmem]`
// Three processes on loopback; 128-byte commands issued in the leader's process, closed loop; every command is on
// disk at a quorum (store-level) before it counts. Rounds are interleaved; medians with minimum and maximum.
import { parseArgs } from 'node:util'
import { Cluster } from './cluster.ts'
import { busyMachineMs, describeMachine, rawSyncMs } from './machine.ts'
import type { Load, StoreKind } from './protocol.ts'

const { values: options } = parseArgs({
  // pnpm hands a lone `--` through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    json: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,16,64,256,1024' },
    stores: { type: 'string', default: 'store-level,store-inmem' },
  },
})
const rounds = Number(options.rounds)
const clientCounts = options.clients.split(',').map(Number)
const stores = options.stores.split(',') as StoreKind[]

/** One measurement of one store at one number of clients. */
interface Row {
  readonly store: StoreKind
  readonly clients: number
  readonly round: number
  readonly commandsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly cpuMicrosecondsPerCommand: number
  readonly leaderChanges: number
  /** Share of one processor that others used meanwhile, in per cent. */
  readonly foreignCpuPercent: number | undefined
}

function load(clients: number): Load {
  return { clients, commandBytes: 128, warmUpMs: 500, measureMs: Number(options.seconds) * 1000 }
}

async function measureRound(store: StoreKind, round: number): Promise<Row[]> {
  const cluster = await Cluster.start(store)
  const rows: Row[] = []
  try {
    // A server that has done little runs code that is not compiled yet; one client alone would measure that.
    await cluster.measure({ ...load(64), warmUpMs: 0, measureMs: 2000 })
    for (const clients of clientCounts) {
      const busyBefore = busyMachineMs()
      const started = performance.now()
      const result = await cluster.measure(load(clients))
      const wallMs = performance.now() - started
      const busyAfter = busyMachineMs()
      rows.push({
        store,
        clients,
        round,
        commandsPerSecond: (result.commands / result.elapsedMs) * 1000,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        cpuMicrosecondsPerCommand: result.cpuMicroseconds / result.commands,
        leaderChanges: result.leaderChanges,
        foreignCpuPercent: foreignCpu(
          busyBefore,
          busyAfter,
          wallMs,
          load(clients),
          result.cpuMicroseconds,
        ),
      })
    }
  } finally {
    await cluster.stop()
  }
  return rows
}

function foreignCpu(
  before: number | undefined,
  after: number | undefined,
  wallMs: number,
  load: { warmUpMs: number; measureMs: number },
  cpuMicroseconds: number,
): number | undefined {
  if (before === undefined || after === undefined) return undefined
  const ownMs = (cpuMicroseconds / 1000) * ((load.warmUpMs + load.measureMs) / load.measureMs)
  return ((after - before - ownMs) / wallMs) * 100
}

function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b)
  return sorted[sorted.length >> 1]!
}

function summarise(rows: readonly Row[]): void {
  const columns = [
    'store',
    'clients',
    'commands/s (min–max)',
    'p50 ms',
    'p99 ms',
    'CPU µs/cmd',
    'foreign CPU %',
  ]
  const lines = stores.flatMap((store) =>
    clientCounts.map((clients) => {
      const of = rows.filter((row) => row.store === store && row.clients === clients)
      const rates = of.map((row) => row.commandsPerSecond)
      const rounded = (value: number): string => Math.round(value).toLocaleString('en')
      return [
        store,
        String(clients),
        `${rounded(median(rates))} (${rounded(Math.min(...rates))}–${rounded(Math.max(...rates))})`,
        median(of.map((row) => row.p50Ms)).toFixed(2),
        median(of.map((row) => row.p99Ms)).toFixed(2),
        median(of.map((row) => row.cpuMicrosecondsPerCommand)).toFixed(1),
        Math.round(median(of.map((row) => row.foreignCpuPercent ?? Number.NaN))).toString(),
      ]
    }),
  )
  const widths = columns.map((column, i) =>
    Math.max(column.length, ...lines.map((line) => line[i]!.length)),
  )
  for (const line of [columns, ...lines])
    console.log(
      line
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  '),
    )
}

const machine = { description: describeMachine(), rawSyncMs: rawSyncMs() }
const rows: Row[] = []
for (let round = 1; round <= rounds; round++)
  for (const store of stores) {
    if (!options.json) console.error(`round ${round} of ${rounds}: ${store}`)
    rows.push(...(await measureRound(store, round)))
  }
if (options.json) console.log(JSON.stringify({ machine, commandBytes: 128, rows }, null, 2))
else {
  console.log(
    `${machine.description}; raw 128-byte write + fdatasync ${machine.rawSyncMs.toFixed(2)} ms`,
  )
  console.log(
    'three processes on loopback, 128-byte commands from the leader process, medians of all rounds',
  )
  summarise(rows)
}
