// Links that are slow or narrow, connections that break.
import type { ServerAddress, StateMachine } from '@raftkit/interface'
import type { LinkFaults } from '@raftkit/transport-inmem'
import type { Stream } from '../random/streams.ts'
import type { World } from '../world/world.ts'
import { type Act, someServer, troubleMs } from './act.ts'

/** One link takes longer than an election. */
export const slowLink: Act = (world, random) => {
  const { heartbeatTimeoutMs } = world.options.configs[0]!
  const minDelayMs = heartbeatTimeoutMs * random.between(0.5, 3)
  spoil(world, random, { minDelayMs })
}

/** One link carries a few entries a second: heartbeats pass, batches and snapshots hardly. */
export const narrowLink: Act = (world, random) => {
  spoil(world, random, { bytesPerSecond: random.magnitude(100, 10_000) })
}

/** The connections between two servers break. */
export const reset: Act = (world, random) => {
  const [a, b] = twoOf(world, random)
  if (a === b) return
  world.trace.tell('network', 'resets connections of', a, 'and', b)
  world.network.reset(a, b)
}

function spoil<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  faults: Partial<LinkFaults>,
): void {
  const [from, to] = twoOf(world, random)
  if (from === to) return
  const [[name, value]] = Object.entries(faults) as [[string, number]]
  world.trace.tell('network', 'link', from, 'to', to, 'has', name, value)
  world.network.setLinkFaults(from, to, faults)
  world.time.after(troubleMs(world, random), () => world.network.setLinkFaults(from, to, undefined))
}

function twoOf<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): readonly [ServerAddress, ServerAddress] {
  return [someServer(world, random).addresses[0]!, someServer(world, random).addresses[0]!]
}
