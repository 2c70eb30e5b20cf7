// Somebody changes who belongs to the cluster: one function for each kind of change. Whoever does it is careful about
// one thing: no change may be asked for after which a quorum would lack its disks.
import {
  type Configuration,
  RaftError,
  type ServerAddress,
  type ServerId,
  type StateMachine,
} from '@raftkit/interface'
import type { MembershipOptions, Raft } from '@raftkit/raft-core'
import { isQuorum, votersOf } from '../checks/quorums.ts'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import { type Act, troubleMs } from './act.ts'

/** Voters that a cluster grows to, at most. */
const MOST_VOTERS = 7

/** A server gets a vote, staged or at once, or joins without one. One that was removed may come with an empty disk. */
export const add: Act = (world, random) => {
  const leader = world.leader()
  const voters = votersOf(latestOf(world))
  const others = world.servers.filter(({ id }) => !voters.some((voter) => voter.id === id))
  if (leader === undefined || others.length === 0 || voters.length >= MOST_VOTERS) return
  const server = random.pick(others)
  if (server.isLost) return
  if (!world.isMember(server.id) && random.chance(0.3) && world.mayForget(server)) server.renew()
  server.start()
  void giveVote(world, random, server)
}

/** A server is removed, the leader itself perhaps; then it runs on, stops, or is emptied. */
export const remove: Act = (world, random) => {
  const server = memberOrLeader(world, random)
  if (server === undefined) return
  void removeServer(world, random, server).then((isDone) => {
    if (!isDone || !world.isStormy() || world.isMember(server.id)) return
    const then = random.next()
    if (then < 0.3) server.crash('was removed')
    else if (then < 0.5 && !server.isLost && world.mayForget(server)) server.renew()
  })
}

/** A voter loses its vote, the leader itself perhaps. */
export const demote: Act = (world, random) => {
  const server = memberOrLeader(world, random)
  const leader = world.leader()
  if (server === undefined || leader === undefined) return
  const { id } = server
  if (!staysWhole(world, withoutVote(latestOf(world), id))) return
  const isItself = leader === server
  void change(world, random, `demotion of ${id}`, (raft, options) =>
    raft.demoteVoter(id, options),
  ).then((isDone) => {
    if (isDone && isItself) world.marks.hit('a leader demoted itself')
    if (isDone) world.marks.hit('a voter was demoted')
  })
}

/** A server goes to another address, and the cluster is told. */
export const move: Act = (world, random) => {
  const { servers } = latestOf(world)
  const moving = world.servers.filter(({ id }) => servers.some((member) => member.id === id))
  if (moving.length === 0) return
  const server = random.pick(moving)
  if (server.isLost) return
  const address = server.move(random.chance(0.6), random.exponential(world.options.meanDownMs))
  const isVoter = servers.some(({ id, suffrage }) => id === server.id && suffrage === 'voter')
  void change(world, random, `address of ${server.id}`, (raft, options) =>
    isVoter
      ? raft.addVoter(server.id, address, { ...options, stage: random.chance(0.5) })
      : raft.addNonvoter(server.id, address, options),
  ).then((isDone) => {
    if (isDone) world.marks.hit('a server was moved to another address')
  })
}

/** A server that lost its disk is removed, gets an empty one, and is added again. */
export const replace: Act = (world, random) => {
  const lost = world.servers.filter(({ isLost }) => isLost)
  if (lost.length > 0) void replaceDisk(world, random, random.pick(lost))
}

async function replaceDisk<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  server: SimulatedServer<M, R>,
): Promise<void> {
  if (world.isMember(server.id) && !(await removeServer(world, random, server))) return
  if (!world.isStormy() || world.isMember(server.id) || !world.mayForget(server)) return
  if (server.isLost) server.renew()
  server.start()
  if (await giveVote(world, random, server))
    world.marks.hit('a server that lost its disk was removed and added again')
}

async function giveVote<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  { id, addresses }: SimulatedServer<M, R>,
): Promise<boolean> {
  const address = addresses[0]!
  const way = random.next()
  const isBack = world.wereMembers.has(id) && !world.isMember(id)
  if (way < 0.15) {
    const isDone = await change(world, random, `nonvoter ${id}`, (raft, options) =>
      raft.addNonvoter(id, address, options),
    )
    if (isDone) world.marks.hit('a nonvoter was added')
    return isDone
  }
  const stage = way < 0.8
  if (!staysWhole(world, withVote(latestOf(world), id, address))) return false
  const isDone = await change(world, random, `vote of ${id}`, (raft, options) =>
    raft.addVoter(id, address, { ...options, stage }),
  )
  if (!isDone) return false
  world.marks.hit(stage ? 'a staged server got its vote' : 'a server got its vote at once')
  if (isBack) world.marks.hit('a removed server was added again')
  return true
}

async function removeServer<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  server: SimulatedServer<M, R>,
): Promise<boolean> {
  const { id } = server
  if (!staysWhole(world, withoutVote(latestOf(world), id))) return false
  const isItself = world.leader() === server
  const isDone = await change(world, random, `removal of ${id}`, (raft, options) =>
    raft.removeServer(id, options),
  )
  if (isDone) world.marks.hit('a server was removed')
  if (isDone && isItself) world.marks.hit('a leader removed itself')
  return isDone
}

/** Asks the leader for a change, now and then on a condition, or with little patience. True when it is made. */
async function change<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  what: string,
  call: (raft: Raft<R>, options: MembershipOptions) => Promise<unknown>,
): Promise<boolean> {
  const { trace, openCalls, marks, stormEnd } = world
  const leader = world.leader()
  const run = leader?.run
  const raft = run?.raft
  if (leader === undefined || run === undefined || raft === undefined) return false
  const patience = random.chance(0.3) ? 0.2 : 5
  const timeoutMs = 1 + patience * (troubleMs(world, random) + world.options.meanTroubleMs)
  const prevIndex = random.chance(0.3) ? raft.configuration().index - random.integer(0, 1) : 0
  trace.tell('someone', 'asks', leader.id, 'for the', what)
  const { signal } = stormEnd
  const asked = call(raft, { timeoutMs, signal, ...(prevIndex > 0 && { prevIndex }) })
  openCalls.watch(`${what} by ${leader.id}`, asked, run.process.died)
  try {
    const answer = await Promise.race([asked.then(() => true), run.process.died])
    return answer === true
  } catch (error) {
    if (!RaftError.is(error)) throw error
    trace.tell('someone', 'is refused the', what, error.code)
    if (error.outcome === undefined)
      world.violate('honest outcomes', `a change failed with ${error.code} and no outcome`)
    if (error.code === 'RAFT_CONFIGURATION_CHANGED')
      marks.hit('a change was refused because the configuration had changed')
    if (error.code === 'RAFT_TIMEOUT' && error.outcome === 'unknown')
      marks.hit('a change that had begun was given up')
    if (error.code === 'RAFT_LEADERSHIP_LOST' && error.outcome === 'unknown')
      marks.hit('leadership was lost in the middle of a change')
    return false
  }
}

/** The configuration that the leader has in force, or is about to have, or the committed one. */
function latestOf<M extends StateMachine<R>, R>(world: World<M, R>): Configuration {
  const raft = world.leader()?.raft
  const { servers, next } =
    raft?.configuration().configuration ?? world.members.latest.configuration
  return { servers: next ?? servers }
}

function memberOrLeader<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): SimulatedServer<M, R> | undefined {
  const leader = random.chance(0.3) ? world.leader() : undefined
  const { servers } = latestOf(world)
  return leader ?? world.serverOf(random.pick(servers).id)
}

function staysWhole<M extends StateMachine<R>, R>(
  world: World<M, R>,
  configuration: Configuration,
): boolean {
  return isQuorum(configuration, ({ id }) => world.serverOf(id)?.isHealthy === true)
}

function withoutVote({ servers }: Configuration, id: ServerId): Configuration {
  return { servers: servers.filter((server) => server.id !== id) }
}

function withVote({ servers }: Configuration, id: ServerId, address: ServerAddress): Configuration {
  const others = servers.filter((server) => server.id !== id)
  return { servers: [...others, { suffrage: 'voter', id, address }] }
}
