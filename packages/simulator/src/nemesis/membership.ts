// Somebody changes who belongs to the cluster: one function for each kind of change. Whoever does it is careful about
// one thing: no change may be asked for after which a quorum would lack its disks.
import type { Configuration, ServerAddress, ServerId, StateMachine } from '@raftkit/interface'
import { votersOf } from '../checks/quorums.ts'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import type { Act } from './act.ts'
import { change, latestOf, staysWhole } from './change.ts'

/** Voters that a cluster grows to, at most. */
export const MOST_VOTERS = 7

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

function memberOrLeader<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): SimulatedServer<M, R> | undefined {
  const leader = random.chance(0.3) ? world.leader() : undefined
  const { servers } = latestOf(world)
  return leader ?? world.serverOf(random.pick(servers).id)
}

function withoutVote({ servers }: Configuration, id: ServerId): Configuration {
  return { servers: servers.filter((server) => server.id !== id) }
}

function withVote({ servers }: Configuration, id: ServerId, address: ServerAddress): Configuration {
  const others = servers.filter((server) => server.id !== id)
  return { servers: [...others, { suffrage: 'voter', id, address }] }
}
