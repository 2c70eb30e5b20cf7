import { setTimeout as sleep } from 'node:timers/promises'
import type { ClusterServer } from '../cluster-server.ts'
import type { Cluster } from '../cluster.ts'
import type { Scenario, Stage } from '../scenario.ts'
import type { Family } from '../server-kind.ts'
import { CallError } from '../server-process.ts'

const ACTS = 16
const LONGEST_PAUSE_MS = 1500

/**
 * One act after another, drawn at random, most of them on servers of the variant's family, while clients write: a kill,
 * a pause of the whole process, a snapshot, a transfer. At most one server is away at any time.
 */
export const storm: Scenario = {
  name: 'storm',
  variants: ['go', 'node'],
  config: () => ({ trailingLogs: 20 }),
  async run(stage, variant) {
    const { cluster, workload, note } = stage
    const slowestMs = new Map<string, number>()
    await workload.during(async () => {
      for (let act = 0; act < ACTS; act += 1) {
        const started = performance.now()
        const name = await actAtRandom(stage, variant)
        const slowest = Math.max(slowestMs.get(name) ?? 0, performance.now() - started)
        slowestMs.set(name, slowest)
        note(`${name}Ms`, slowest)
      }
      await cluster.leader()
      await workload.progress(50)
    })
    note('longestGapMs', workload.ledger.longestGapMs)
  },
}

const acts = ['kill', 'pause', 'snapshot', 'transfer'] as const

/** Does one act and waits until the clients get on; gives its name. */
async function actAtRandom({ cluster, workload }: Stage, variant: Family): Promise<string> {
  const server = victim(cluster, variant)
  const act = acts[Math.floor(Math.random() * acts.length)]!
  switch (act) {
    case 'kill':
      await server.kill()
      await workload.progress(20)
      await server.restart()
      break
    case 'pause':
      await server.pause(() => sleep(Math.random() * LONGEST_PAUSE_MS))
      break
    case 'snapshot':
      await refusalsAside(server.call('snapshot'))
      break
    case 'transfer': {
      const leader = await cluster.leader()
      const { id, address } = server
      if (leader !== server) await refusalsAside(leader.call('transfer', { to: id, address }))
    }
  }
  await workload.progress(20)
  return act
}

function victim(cluster: Cluster, variant: Family): ClusterServer {
  const own = cluster.servers.filter(({ family }) => family === variant)
  const from = Math.random() < 0.7 ? own : cluster.servers
  return from[Math.floor(Math.random() * from.length)]!
}

/** There may be nothing new to save, or the target of a transfer may be behind. */
async function refusalsAside(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error
  })
}
