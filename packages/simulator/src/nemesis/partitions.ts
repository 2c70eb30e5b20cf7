// The network is cut: into halves, around one server, one way, in odd shapes.
import type { ServerId, StateMachine } from '@raftkit/interface'
import type { World } from '../world/world.ts'
import { type Act, leaderOrAny, someServer, troubleMs } from './act.ts'

/** One server reaches nobody. */
export const isolate: Act = (world, random) => {
  const { id } = leaderOrAny(world, random)
  cutFor(world, bothWays([id], without(world, [id])), troubleMs(world, random))
}

/** Two sides by chance. */
export const split: Act = (world, random) => {
  const side = world.servers.filter(() => random.chance(0.5)).map(({ id }) => id)
  cutFor(world, bothWays(side, without(world, side)), troubleMs(world, random))
}

/** One server is heard by some and hears them not, or the other way round. */
export const oneWay: Act = (world, random) => {
  const { id } = leaderOrAny(world, random)
  const others = without(world, [id]).filter(() => random.chance(0.7))
  cutFor(
    world,
    random.chance(0.5) ? ways([id], others) : ways(others, [id]),
    troubleMs(world, random),
  )
}

/** Two halves that only one server reaches. */
export const bridge: Act = (world, random) => {
  const rest = without(world, [someServer(world, random).id])
  const half = rest.filter(() => random.chance(0.5))
  const otherHalf = rest.filter((id) => !half.includes(id))
  cutFor(world, bothWays(half, otherHalf), troubleMs(world, random))
}

/** Every server reaches its two neighbours only. */
export const ring: Act = (world, random) => {
  const ids = world.servers.map(({ id }) => id)
  const cut = ids.flatMap((from, place) =>
    ids
      .filter((_, other) => ![0, 1, ids.length - 1].includes(Math.abs(place - other)))
      .map((to): Way => [from, to]),
  )
  cutFor(world, cut, troubleMs(world, random))
}

/** The leader is cut off, alone or with a friend, and soon the next one. */
export const flap: Act = (world, random) => {
  const leader = world.leader()
  if (leader === undefined) return
  const side = [leader.id]
  if (random.chance(0.4)) side.push(someServer(world, random).id)
  const others = without(world, side)
  const isOneWay = random.chance(0.3)
  cutFor(world, isOneWay ? ways(others, side) : bothWays(side, others), troubleMs(world, random))
}

/** One way between two servers. */
export type Way = readonly [from: ServerId, to: ServerId]

function ways(from: readonly ServerId[], to: readonly ServerId[]): Way[] {
  return from.flatMap((a) => to.map((b): Way => [a, b]))
}

/** Both ways between each of `a` and each of `b`. */
export function bothWays(a: readonly ServerId[], b: readonly ServerId[]): Way[] {
  return [...ways(a, b), ...ways(b, a)]
}

/** All servers but these. */
export function without<M extends StateMachine<R>, R>(
  world: World<M, R>,
  ids: readonly ServerId[],
): ServerId[] {
  return world.servers.map(({ id }) => id).filter((id) => !ids.includes(id))
}

/** Cuts the ways for a while. Where partitions overlap, the first to end opens a way that both have cut. */
export function cutFor<M extends StateMachine<R>, R>(
  world: World<M, R>,
  cut: readonly Way[],
  forMs: number,
): void {
  if (cut.length === 0) return
  world.trace.tell('network', 'cuts', cut.map(([from, to]) => `${from}>${to}`).join(' '))
  const addresses = cut.map(
    ([from, to]) => [world.addressesOf(from), world.addressesOf(to)] as const,
  )
  for (const [from, to] of addresses) world.network.cutOneWay(from, to)
  world.time.after(forMs, () => {
    if (!world.isStormy()) return
    world.trace.tell('network', 'heals', cut.length, 'ways')
    for (const [from, to] of addresses) world.network.healOneWay(from, to)
  })
}
