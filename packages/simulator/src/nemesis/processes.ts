// Servers that crash, pause, or have clocks that jump.
import type { StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import { type Act, leaderOrAny, someServer, troubleMs } from './act.ts'

/** Any server, at any moment. */
export const crashAny: Act = (world, random) => crash(world, random, someServer(world, random))

/** The leader more often than not. */
export const crashLeader: Act = (world, random) => crash(world, random, leaderOrAny(world, random))

/** The power goes. */
export const crashAll: Act = (world, random) => {
  world.marks.hit('all servers crashed at once')
  for (const server of world.servers) crash(world, random, server)
}

/** Nothing of a server runs for a while; then everything is late. */
export const pause: Act = (world, random) =>
  leaderOrAny(world, random).pause(troubleMs(world, random))

/** The clocks of a server jump ahead, as after the sleep of a virtual machine. */
export const clockJump: Act = (world, random) => {
  const { id, run } = leaderOrAny(world, random)
  const byMs = troubleMs(world, random)
  if (run === undefined) return
  world.trace.tell(id, 'has clocks that jump by', byMs)
  world.marks.hit('a clock jumped')
  run.clock.jump(byMs)
}

function crash<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  server: SimulatedServer<M, R>,
): void {
  server.crash('killed', random.exponential(world.options.meanDownMs))
}
