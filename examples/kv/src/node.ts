// One node of the key-value store: a Raft server and its HTTP server in one process.
//   tsx src/node.ts --address 127.0.0.1:7001 --peers 127.0.0.1:7001,127.0.0.1:7002,127.0.0.1:7003 \
//     --data ./data-1 --http 127.0.0.1:8001
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { prometheusMetrics } from '@raftkit/metrics/prometheus'
import { createRaftNode, stopOnSignals } from '@raftkit/raft-node'
import { register } from 'prom-client'
import { createHttpServer } from './http-server.ts'
import { createKvMachine } from './kv-machine.ts'
import type { Status } from './status.ts'

const { values: options } = parseArgs({
  options: {
    address: { type: 'string' },
    peers: { type: 'string' },
    data: { type: 'string' },
    http: { type: 'string' },
    // Small numbers make elections quick and the log short, which is what the demo wants to show.
    'election-ms': { type: 'string', default: '1000' },
    'snapshot-threshold': { type: 'string', default: '8192' },
    'trailing-logs': { type: 'string', default: '10240' },
    'snapshot-interval-ms': { type: 'string', default: '60000' },
  },
})
const { address, peers, data, http } = options
if (address === undefined || peers === undefined || data === undefined || http === undefined) {
  console.error(
    'usage: node.ts --address <host:port> --peers <a,b,c> --data <directory> --http <host:port>',
  )
  process.exit(2)
}

const electionMs = Number(options['election-ms'])
const node = await createRaftNode({
  address,
  peers: peers.split(','),
  dataDir: data,
  stateMachine: createKvMachine(),
  metrics: prometheusMetrics(),
  config: {
    heartbeatTimeoutMs: electionMs,
    electionTimeoutMs: electionMs,
    leaderLeaseTimeoutMs: electionMs / 2,
    snapshotThreshold: Number(options['snapshot-threshold']),
    trailingLogs: Number(options['trailing-logs']),
    snapshotIntervalMs: Number(options['snapshot-interval-ms']),
  },
})

const counters = { snapshotsSaved: 0, snapshotsInstalled: 0 }
node.raft.on('snapshot-saved', () => (counters.snapshotsSaved += 1))
node.raft.on('snapshot-installed', () => (counters.snapshotsInstalled += 1))

function status(): Status {
  const { raft } = node
  return {
    id: node.id,
    pid: process.pid,
    state: raft.state,
    term: raft.currentTerm,
    leader: node.leaderAddress ?? null,
    lastIndex: raft.lastIndex,
    commitIndex: raft.commitIndex,
    appliedIndex: raft.appliedIndex,
    snapshotIndex: raft.stats().lastSnapshotIndex,
    ...counters,
  }
}

const server = createHttpServer(node, status, register)
const [host, port] = http.split(':')
server.listen(Number(port), host)
await once(server, 'listening')

stopOnSignals(node, {
  onSignal: () => {
    server.close()
    server.closeIdleConnections()
  },
  exit: true,
})
// Started by the demo: say that this node is up, and do not outlive the demo.
process.on('disconnect', () => process.exit(0))
process.send?.({ listening: http })
