// What the demo does to the cluster, and what it measures on the way.
import { setTimeout as sleep } from 'node:timers/promises'
import { timing, type Cluster } from './cluster.ts'
import { until, type NodeProcess } from './node-process.ts'
import { compare, reportOf, type NodeState, type Report } from './report.ts'
import type { Terminal } from './terminal.ts'
import { Workload } from './workload.ts'

const writersPerNode = 4

/** Runs the whole story; the cluster is up at the end. */
export async function tellStory(cluster: Cluster, terminal: Terminal): Promise<Report> {
  const began = performance.now()
  await firstElection(cluster, terminal)
  const clients = cluster.nodes.map((node) => node.client)
  const workload = new Workload(clients, writersPerNode)
  const ticker = setInterval(() => {
    terminal.progress(`${workload.count('acknowledged')} writes acknowledged`)
  }, 100)
  try {
    await writes(workload, 1000, terminal)
    const { killed, lastIndex, unavailableMs } = await leaderDies(cluster, workload, terminal)
    await logMovesOn(cluster, lastIndex, terminal)
    const snapshotsInstalled = await killedNodeReturns(cluster, killed, terminal)
    const recoveryMs = await allDie(cluster, workload, terminal)
    await writes(workload, 1000, terminal)
    await workload.stop()
    const states = await finalStates(cluster, terminal)
    return reportOf(
      {
        acknowledged: workload.count('acknowledged'),
        refused: workload.count('refused'),
        unknown: workload.count('unknown'),
        elections: cluster.elections,
        unavailableMs,
        recoveryMs,
        snapshotsInstalled,
        keys: states[0]?.digest.keys ?? 0,
        index: states[0]?.digest.index ?? 0,
        durationMs: Math.round(performance.now() - began),
      },
      compare(workload.history, states),
    )
  } finally {
    clearInterval(ticker)
    await workload.stop()
  }
}

async function firstElection(cluster: Cluster, terminal: Terminal): Promise<void> {
  terminal.heading('Three processes, one key-value store')
  await cluster.launch()
  for (const node of cluster.nodes)
    terminal.event(
      `${terminal.name(node.name)} runs as process ${node.pid}, Raft on ${node.options.address}, HTTP on ${node.client.url}`,
    )
  const { node, status } = await cluster.leader()
  terminal.good(`${terminal.name(node.name)} was elected leader in term ${status.term}`)
}

async function writes(workload: Workload, count: number, terminal: Terminal): Promise<void> {
  terminal.heading('Clients write through all three nodes')
  const before = workload.count('acknowledged')
  const began = performance.now()
  await until(`${count} writes`, async () =>
    workload.count('acknowledged') - before >= count ? true : undefined,
  )
  const perSecond = Math.round((count / (performance.now() - began)) * 1000)
  terminal.good(
    `${terminal.number(count)} writes, each durable on two disks before it was acknowledged (${perSecond}/s)`,
  )
}

async function leaderDies(
  cluster: Cluster,
  workload: Workload,
  terminal: Terminal,
): Promise<{ killed: NodeProcess; lastIndex: number; unavailableMs: number }> {
  terminal.heading('The leader dies: kill -9, while clients write')
  const { node: killed, status } = await cluster.leader()
  const at = performance.now()
  await killed.kill()
  terminal.event(`killed ${terminal.name(killed.name)}, the leader of term ${status.term}`)
  const unavailable = workload.unavailableFrom(at)
  const { node, status: elected } = await cluster.leader(status.term)
  terminal.good(`${terminal.name(node.name)} was elected leader in term ${elected.term}`)
  const unavailableMs = Math.round(await unavailable)
  terminal.good(`writes were taken again after ${terminal.number(`${unavailableMs} ms`)}`)
  return { killed, lastIndex: status.lastIndex, unavailableMs }
}

/** The killed node shall find that the entries it lacks are gone, so that only a snapshot helps. */
async function logMovesOn(cluster: Cluster, lastIndex: number, terminal: Terminal): Promise<void> {
  const { node } = await cluster.leader()
  const beyond = lastIndex + timing.trailingLogs
  const status = await node.until(
    (s) => s.snapshotIndex > beyond,
    'a snapshot beyond the killed node',
  )
  terminal.good(
    `two of three go on; their log up to ${terminal.number(status.snapshotIndex - timing.trailingLogs)} is now a snapshot`,
  )
}

async function killedNodeReturns(
  cluster: Cluster,
  killed: NodeProcess,
  terminal: Terminal,
): Promise<number> {
  terminal.heading('The killed node comes back')
  await killed.start()
  const { status: leader } = await cluster.leader()
  const status = await killed.until((s) => s.appliedIndex >= leader.commitIndex, 'to catch up')
  terminal.good(
    `${terminal.name(killed.name)} caught up by snapshot (${terminal.number(status.snapshotsInstalled)} installed) and is at index ${status.appliedIndex}`,
  )
  return status.snapshotsInstalled
}

async function allDie(cluster: Cluster, workload: Workload, terminal: Terminal): Promise<number> {
  terminal.heading('All three die at once: kill -9, while clients write')
  const { status } = await cluster.leader()
  await cluster.killAll()
  terminal.event('killed all three')
  await sleep(300)
  const at = performance.now()
  const recovered = workload.unavailableFrom(at)
  await cluster.start()
  const { node, status: elected } = await cluster.leader(status.term)
  terminal.good(`${terminal.name(node.name)} was elected leader in term ${elected.term}`)
  const recoveryMs = Math.round(await recovered)
  terminal.good(`writes were taken again ${terminal.number(`${recoveryMs} ms`)} after the start`)
  return recoveryMs
}

async function finalStates(cluster: Cluster, terminal: Terminal): Promise<NodeState[]> {
  terminal.heading('Is everything there?')
  await cluster.settled()
  return Promise.all(
    cluster.nodes.map(async ({ name, client }) => {
      const [digest, values] = await Promise.all([client.digest(), client.dump()])
      terminal.event(
        `${terminal.name(name)} holds ${digest.keys} keys at index ${digest.index}, sha256 ${digest.sha256.slice(0, 16)}…`,
      )
      return { name, digest, values }
    }),
  )
}
