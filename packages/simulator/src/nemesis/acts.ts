// What is done to a cluster while the faults last. Each act ends by itself.
import type { ServerId, StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'
import type { World } from '../world/world.ts'
import type { NemesisName } from '../world/world-options.ts'

/** One act: it happens now, and what it does ends later. */
export type Act = <M extends StateMachine<R>, R>(world: World<M, R>, random: Stream) => void

/** The acts by the name of their nemesis. */
export const ACTS: Readonly<Record<NemesisName, Act>> = {
  crash: (world, random) => crash(world, random, random.pick(world.servers)),
  'crash leader': (world, random) => crash(world, random, leaderOrAny(world, random)),
  'crash all': (world, random) => {
    for (const server of world.servers) crash(world, random, server)
  },
  pause: (world, random) => leaderOrAny(world, random).pause(troubleMs(world, random)),
  isolate: (world, random) => {
    const { id } = leaderOrAny(world, random)
    cutFor(world, random, bothWays([id], without(world, [id])))
  },
  split: (world, random) => {
    const side = world.servers.filter(() => random.chance(0.5)).map(({ id }) => id)
    cutFor(world, random, bothWays(side, without(world, side)))
  },
  'one way': (world, random) => {
    const { id } = leaderOrAny(world, random)
    const others = without(world, [id]).filter(() => random.chance(0.7))
    cutFor(world, random, random.chance(0.5) ? ways([id], others) : ways(others, [id]))
  },
  bridge: (world, random) => {
    // Two halves that only one server reaches.
    const middle = random.pick(world.servers).id
    const rest = without(world, [middle])
    const half = rest.filter(() => random.chance(0.5))
    cutFor(
      world,
      random,
      bothWays(
        half,
        rest.filter((id) => !half.includes(id)),
      ),
    )
  },
  flap: (world, random) => {
    const leader = world.leader()
    if (leader === undefined) return
    const side = [leader.id]
    if (random.chance(0.4)) side.push(random.pick(world.servers).id)
    const others = without(world, side)
    const isOneWay = random.chance(0.3)
    cutFor(world, random, isOneWay ? ways(others, side) : bothWays(side, others))
  },
  'slow link': slowLink,
  reset: (world, random) => {
    const [a, b] = [random.pick(world.servers).id, random.pick(world.servers).id]
    if (a === b) return
    world.trace.tell('network', 'resets connections of', a, 'and', b)
    world.network.reset(a, b)
  },
  'disk hangs': (world, random) => {
    const { disk, id } = leaderOrAny(world, random)
    const forMs = troubleMs(world, random)
    world.trace.tell(id, 'has a disk that hangs for', forMs)
    disk.hang()
    world.time.after(forMs, () => disk.release())
  },
  'disk full': (world, random) => {
    const { disk, id } = random.pick(world.servers)
    world.trace.tell(id, 'has a full disk')
    disk.isFull = true
    world.time.after(troubleMs(world, random), () => {
      disk.isFull = false
    })
  },
  transfer: (world, random) => {
    const leader = world.leader()
    const to = random.chance(0.5) ? undefined : random.pick(world.servers).id
    world.trace.tell('someone', 'asks', leader?.id, 'to hand over to', to)
    const timeoutMs = troubleMs(world, random) + 1
    leader?.raft?.transferLeadership(to, { timeoutMs }).catch(() => {})
  },
  snapshot: (world, random) => {
    const server = random.pick(world.servers)
    world.trace.tell('someone', 'asks', server.id, 'for a snapshot')
    server.raft?.snapshot({ timeoutMs: troubleMs(world, random) + 1 }).catch(() => {})
  },
}

function crash<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  server: SimulatedServer<M, R>,
): void {
  server.crash('killed', random.exponential(world.options.meanDownMs))
}

function slowLink<M extends StateMachine<R>, R>(world: World<M, R>, random: Stream): void {
  const [from, to] = [random.pick(world.servers).id, random.pick(world.servers).id]
  if (from === to) return
  const { heartbeatTimeoutMs } = world.options.configs[0]!
  const minDelayMs = heartbeatTimeoutMs * random.between(0.5, 3)
  world.trace.tell('network', 'delays', from, 'to', to, 'by', minDelayMs)
  world.network.setLinkFaults(from, to, { minDelayMs })
  world.time.after(troubleMs(world, random), () => world.network.setLinkFaults(from, to, undefined))
}

function leaderOrAny<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): SimulatedServer<M, R> {
  const leader = random.chance(0.6) ? world.leader() : undefined
  return leader ?? random.pick(world.servers)
}

function troubleMs<M extends StateMachine<R>, R>(world: World<M, R>, random: Stream): number {
  return random.exponential(world.options.meanTroubleMs)
}

type Way = readonly [from: ServerId, to: ServerId]

function ways(from: readonly ServerId[], to: readonly ServerId[]): Way[] {
  return from.flatMap((a) => to.map((b): Way => [a, b]))
}

function bothWays(a: readonly ServerId[], b: readonly ServerId[]): Way[] {
  return [...ways(a, b), ...ways(b, a)]
}

function without<M extends StateMachine<R>, R>(
  world: World<M, R>,
  ids: readonly ServerId[],
): ServerId[] {
  return world.servers.map(({ id }) => id).filter((id) => !ids.includes(id))
}

/** Cuts the ways for a while. Where partitions overlap, the first to end opens a way that both have cut. */
function cutFor<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
  cut: readonly Way[],
): void {
  if (cut.length === 0) return
  world.trace.tell('network', 'cuts', cut.map(([from, to]) => `${from}>${to}`).join(' '))
  for (const [from, to] of cut) world.network.cutOneWay(from, to)
  world.time.after(troubleMs(world, random), () => {
    if (!world.isStormy()) return
    world.trace.tell('network', 'heals', cut.length, 'ways')
    for (const [from, to] of cut) world.network.healOneWay(from, to)
  })
}
