import { otherFamily, type Scenario } from '../scenario.ts'

/** A follower of the other family was away; a leader of the variant's family still has all of the log. */
export const catchUpByLog: Scenario = {
  name: 'catch-up-log',
  variants: ['go', 'node'],
  async run({ cluster, workload }, variant) {
    const leader = await cluster.lead(variant)
    const follower = cluster.one(otherFamily(variant), leader)
    await follower.kill()
    await workload.write(1500)
    await follower.restart()
    const { lastIndex } = await (await cluster.leader()).status()
    const after = await follower.until('the log', (status) => status.appliedIndex >= lastIndex)
    if (after.snapshotsInstalled > 0) throw new Error('it got a snapshot where the log was there')
  },
}

/** A snapshot of some megabytes: more than any buffer on its way holds at once. */
const LARGE_VALUES = 4
const LARGE_BYTES = 600_000

/**
 * A follower of the other family was away, and the leader's log begins after its end: it restores the leader's snapshot,
 * then follows the log; then it restarts from the snapshot that it was sent.
 */
export const catchUpBySnapshot: Scenario = {
  name: 'catch-up-snapshot',
  variants: ['go', 'node'],
  config: () => ({ trailingLogs: 10 }),
  async run({ cluster, workload }, variant) {
    const leader = await cluster.lead(variant)
    const follower = cluster.one(otherFamily(variant), leader)
    await workload.write(100)
    await follower.kill()
    await workload.write(1000)
    for (let i = 0; i < LARGE_VALUES; i += 1)
      await workload.put(`large-${i}`, String(i).repeat(LARGE_BYTES))
    // All of them, for the case that leadership moves on a machine that is busy.
    for (const server of cluster.up) await server.call('snapshot')
    await cluster.lead(variant)
    await workload.write(50)
    await follower.restart()
    const { lastIndex } = await (await cluster.leader()).status()
    const after = await follower.until('snapshot', (status) => status.appliedIndex >= lastIndex)
    if (after.snapshotsInstalled === 0) throw new Error('it got no snapshot')
    await workload.write(50)
    await follower.kill()
    await follower.restart()
    await workload.write(50)
  },
}
