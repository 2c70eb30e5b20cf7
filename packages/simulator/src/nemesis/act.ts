// What acts have in common.
import type { StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'

/** One act: it happens now, and what it does ends later. */
export type Act = <M extends StateMachine<R>, R>(world: World<M, R>, random: Stream) => void

/** The leader more often than not, else some server. */
export function leaderOrAny<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): SimulatedServer<M, R> {
  const leader = random.chance(0.6) ? world.leader() : undefined
  return leader ?? someServer(world, random)
}

/** A member more often than not: the others matter less. */
export function someServer<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): SimulatedServer<M, R> {
  if (world.options.spares === 0) return random.pick(world.servers)
  const { memberServers } = world
  return random.pick(
    memberServers.length > 0 && random.chance(0.85) ? memberServers : world.servers,
  )
}

/** How long the trouble lasts, milliseconds. */
export function troubleMs<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): number {
  return random.exponential(world.options.meanTroubleMs)
}
