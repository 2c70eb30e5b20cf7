// One server takes over while another, cut off from everybody, has every reason to believe that it still leads.
import type { ServerId, StateMachine } from '@raftkit/interface'
import { votersOf } from '../checks/quorums.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import type { Act } from './act.ts'
import { bothWays, cutFor, without } from './partitions.ts'

/** Heartbeat timeouts in which a rival is sure to have campaigned, and is up to date, for clients only read. */
const RIVALRY = [1.5, 3] as const

/**
 * A voter loses its leader and campaigns, in vain, while clients only read. Then the leader is cut off from the others too,
 * which start again that moment: they have nothing in memory of the leader that they heard, whose lease rests on them.
 */
export const defection: Act = (world, random) => {
  const leader = world.leader()
  if (leader === undefined) return
  const voters = otherVoters(world, leader)
  if (voters.length < 2) return
  const rival = random.pick(voters)
  const beatMs = beatOf(world)
  const settlingMs = beatMs * 0.3
  const rivalryMs = beatMs * random.between(...RIVALRY)
  world.writesFrom = world.time.now() + settlingMs + rivalryMs + beatMs
  world.time.after(settlingMs, () => {
    if (!world.isStormy()) return
    cutFor(world, bothWays([leader.id], [rival.id]), rivalryMs + beatMs)
  })
  world.time.after(settlingMs + rivalryMs, () => {
    if (!world.isStormy() || leader.raft?.state !== 'leader') return
    world.marks.hit('voters started again behind a partition from their leader')
    isolateFor(world, leader, beatMs)
    for (const voter of voters)
      if (voter !== rival) voter.crash('killed', random.exponential(world.options.meanDownMs))
  })
}

/**
 * A leader hands over to a server that hears of it late, and is cut off from everybody at that moment: the time that it
 * gives the target is over before its lease is.
 */
export const lostHandOver: Act = (world, random) => {
  const leader = world.leader()
  const raft = leader?.raft
  if (leader === undefined || raft === undefined) return
  const voters = otherVoters(world, leader)
  if (voters.length < 2) return
  const target = random.pick(voters)
  const beatMs = beatOf(world)
  const delayMs = beatMs * random.between(0.12, 0.35)
  const [from, to] = [leader.addresses[0]!, target.addresses[0]!]
  world.trace.tell('someone', 'asks', leader.id, 'to hand over to', target.id)
  world.network.setLinkFaults(from, to, { minDelayMs: delayMs })
  world.onTimeoutNow = (id) => {
    if (id !== target.id || !world.isStormy()) return
    world.onTimeoutNow = () => {}
    world.marks.hit('a leader was cut off when its successor heard of it')
    isolateFor(world, leader, beatMs * 1.5)
  }
  const asked = raft.transferLeadership(target.id, { timeoutMs: beatMs * 3 })
  world.openCalls.watch(`transfer of ${leader.id}`, asked, leader.run!.process.died)
  asked.catch(() => {})
  world.time.after(beatMs * 2, () => world.network.setLinkFaults(from, to, undefined))
}

function beatOf<M extends StateMachine<R>, R>({ options }: World<M, R>): number {
  return options.configs[0]!.heartbeatTimeoutMs
}

function otherVoters<M extends StateMachine<R>, R>(
  world: World<M, R>,
  leader: SimulatedServer<M, R>,
): readonly SimulatedServer<M, R>[] {
  const voters = votersOf(world.members.latest.configuration)
  const isOther = (id: ServerId): boolean =>
    id !== leader.id && voters.some((voter) => voter.id === id)
  return world.servers.filter((server) => isOther(server.id) && server.raft !== undefined)
}

function isolateFor<M extends StateMachine<R>, R>(
  world: World<M, R>,
  { id }: SimulatedServer<M, R>,
  forMs: number,
): void {
  cutFor(world, bothWays([id], without(world, [id])), forMs)
}
