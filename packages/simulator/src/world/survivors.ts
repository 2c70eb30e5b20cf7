// Who survives a disaster, and the configuration that is forced on them.
import { type Configuration, membersOf, type Server, type StateMachine } from '@raftkit/interface'
import { votersOf } from '../checks/quorums.ts'
import type { Stream } from '../random/streams.ts'
import type { World } from './world.ts'

/** With fewer voters, nobody survives the loss of a majority. */
const LEAST_VOTERS = 3

/** True in worlds that want it, when enough voters are there and no change is under way. */
export function mayStrike<M extends StateMachine<R>, R>(world: World<M, R>): boolean {
  const { configuration } = world.members.latest
  if (!world.options.disaster || configuration.next !== undefined) return false
  if (membersOf(configuration).some(({ suffrage }) => suffrage === 'staging')) return false
  return (
    votersOf(configuration).length >= LEAST_VOTERS && unharmedOf(world, configuration).length > 0
  )
}

/** Members that nothing has happened to: they run, and have everything. */
function unharmedOf<M extends StateMachine<R>, R>(
  world: World<M, R>,
  configuration: Configuration,
): readonly Server[] {
  return membersOf(configuration).filter(({ id }) => {
    const server = world.serverOf(id)
    return server?.isHealthy === true && server.raft !== undefined
  })
}

/** A minority of the voters, at least one, and some of the others, who may get a vote. */
export function drawSurvivors<M extends StateMachine<R>, R>(
  world: World<M, R>,
  random: Stream,
): readonly Server[] {
  const { configuration } = world.members.latest
  const most = Math.ceil(votersOf(configuration).length / 2) - 1
  const shuffled = unharmedOf(world, configuration)
    .map((server) => ({ server, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ server }) => server)
  const voters = shuffled.filter(({ suffrage }) => suffrage === 'voter')
  const others = shuffled
    .filter(({ suffrage }) => suffrage !== 'voter')
    .filter(() => random.chance(0.5))
    .map((server): Server => (random.chance(0.5) ? { ...server, suffrage: 'voter' } : server))
  return [...voters.slice(0, random.integer(1, most)), ...others]
}

/** As an operator writes it: without names of disks. */
export function peersOf(servers: readonly Server[]): string {
  return JSON.stringify(
    servers.map(({ id, address, suffrage }) => ({
      id,
      address,
      non_voter: suffrage !== 'voter',
    })),
  )
}

/** The same members; a leader may have noted the names of their disks meanwhile. */
export function isGiven(configuration: Configuration, given: Configuration): boolean {
  return (
    configuration.next === undefined && peersOf(configuration.servers) === peersOf(given.servers)
  )
}
