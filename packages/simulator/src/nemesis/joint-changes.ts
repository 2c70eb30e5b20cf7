// Somebody changes several members at once, through the joint state.
import type { StateMachine } from '@raftkit/interface'
import { votersOf } from '../checks/quorums.ts'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import type { Act } from './act.ts'
import { change, latestOf, staysWhole } from './change.ts'
import { MOST_VOTERS } from './membership.ts'

/** Up to two servers get a vote, up to two lose it, and of those some leave. */
export const several: Act = (world, random) => {
  if (world.leader() === undefined) return
  const latest = latestOf(world)
  const gaining = someOf(random, outsiders(world))
  const losing = someOf(random, votersOf(latest))
  const ids = new Set(losing.map(({ id }) => id))
  const kept = latest.servers.filter(
    ({ id }) => !ids.has(id) && !gaining.some((server) => server.id === id),
  )
  const added = gaining.map(({ id, addresses }) => {
    return { suffrage: 'voter', id, address: addresses[0]! } as const
  })
  const after = { servers: [...kept, ...added] }
  const voters = votersOf(after).length
  if (gaining.length + losing.length < 2 || voters === 0 || voters > MOST_VOTERS) return
  if (!staysWhole(world, after)) return
  for (const server of gaining) server.start()
  const leaving = losing.filter(() => random.chance(0.5)).map(({ id }) => id)
  const demote = losing.map(({ id }) => id).filter((id) => !leaving.includes(id))
  void change(world, random, 'change of several members', (raft, options) =>
    raft.changeMembership({ add: added, demote, remove: leaving }, options),
  ).then((isDone) => {
    if (isDone) world.marks.hit('several members were changed at once')
  })
}

/** A server takes the place of another one, dead or alive. */
export const swap: Act = (world, random) => {
  const { servers } = latestOf(world)
  const fresh = outsiders(world).filter(({ id }) => !servers.some((member) => member.id === id))
  if (world.leader() === undefined || fresh.length === 0) return
  const server = random.pick(fresh)
  const lost = servers.filter(({ id }) => world.serverOf(id)?.isLost === true)
  const old = random.pick(lost.length > 0 && random.chance(0.7) ? lost : servers)
  const [address = server.id] = server.addresses
  const replaced = { ...old, id: server.id, address }
  const after = { servers: servers.map((member) => (member.id === old.id ? replaced : member)) }
  if (!staysWhole(world, after)) return
  server.start()
  void change(world, random, `place of ${old.id} for ${server.id}`, (raft, options) =>
    raft.replaceServer(old.id, { id: server.id, address }, options),
  ).then((isDone) => {
    if (isDone) world.marks.hit('a server was put in the place of another')
  })
}

/** Whole servers without a vote. */
function outsiders<M extends StateMachine<R>, R>(
  world: World<M, R>,
): readonly SimulatedServer<M, R>[] {
  const voters = votersOf(latestOf(world))
  return world.servers.filter(
    (server) => server.isHealthy && !voters.some(({ id }) => id === server.id),
  )
}

/** None, one or two of them. */
function someOf<T>(random: Stream, all: readonly T[]): readonly T[] {
  const count = random.integer(0, Math.min(2, all.length))
  const first = random.integer(0, Math.max(0, all.length - 1))
  return [...all.slice(first), ...all.slice(0, first)].slice(0, count)
}
