// `pnpm bench [--peers] [--json] [--rounds N] [--seconds S] [--clients 1,16,…] [--contenders store-level,…]`
// Three processes on loopback; 128-byte commands issued in the leader's process, closed loop; every command is on
// disk at a quorum (except with store-inmem) before it counts. Rounds are interleaved; medians with minimum and maximum.
// `--peers` measures hashicorp/raft in the same rounds and prints ratios; it needs Go.
import { parseArgs } from 'node:util'
import { buildPeers } from '@raftkit-internal/interop/go-program'
import { Cluster, type MeasuredCluster } from './cluster.ts'
import { busyMachineMs, describeMachine, rawSyncMs } from './machine.ts'
import { PeerCluster, type PeerKind } from './peer-cluster.ts'
import type { Load } from './protocol.ts'
import type { Contender, Row } from './row.ts'
import { measurements, ratios } from './table.ts'

const { values: options } = parseArgs({
  // pnpm hands a lone `--` through.
  args: process.argv.slice(2).filter((argument) => argument !== '--'),
  options: {
    json: { type: 'boolean', default: false },
    peers: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    clients: { type: 'string', default: '1,16,64,256,1024' },
    contenders: { type: 'string' },
  },
})
const rounds = Number(options.rounds)
const clientCounts = options.clients.split(',').map(Number)
const contenders = (
  options.contenders ??
  (options.peers ? 'store-level,hashicorp-boltdb,hashicorp-wal' : 'store-level,store-inmem')
).split(',') as Contender[]

function isPeer(contender: Contender): contender is PeerKind {
  return contender === 'hashicorp-boltdb' || contender === 'hashicorp-wal'
}

function load(clients: number): Load {
  return { clients, commandBytes: 128, warmUpMs: 500, measureMs: Number(options.seconds) * 1000 }
}

function start(contender: Contender): Promise<MeasuredCluster> {
  return isPeer(contender) ? PeerCluster.start(contender) : Cluster.start(contender)
}

async function measureRound(contender: Contender, round: number): Promise<Row[]> {
  const cluster = await start(contender)
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
        contender,
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

if (contenders.some(isPeer)) await buildPeers()
const machine = { description: describeMachine(), rawSyncMs: rawSyncMs() }
const rows: Row[] = []
for (let round = 1; round <= rounds; round++)
  for (const contender of contenders) {
    if (!options.json) console.error(`round ${round} of ${rounds}: ${contender}`)
    rows.push(...(await measureRound(contender, round)))
  }
if (options.json) console.log(JSON.stringify({ machine, commandBytes: 128, rows }, null, 2))
else {
  console.log(
    `${machine.description}; raw 128-byte write + fdatasync ${machine.rawSyncMs.toFixed(2)} ms`,
  )
  console.log(
    'three processes on loopback, 128-byte commands from the leader process, medians of all rounds',
  )
  console.log(measurements(rows, contenders, clientCounts))
  const peers = contenders.filter(isPeer)
  if (peers.length > 0 && contenders.includes('store-level'))
    console.log(`\n${ratios(rows, 'store-level', peers, clientCounts)}`)
}
