// Which configurations servers may act on, and what follows for the disks that may be lost.
import type {
  Configuration,
  IndexedConfiguration,
  Server,
  ServerId,
  StateMachine,
} from '@raftkit/interface'
import type { CommittedConfigurations } from '../checks/committed-configurations.ts'
import type { CommittedLog } from '../checks/committed-log.ts'
import { isQuorum, votersOf } from '../checks/quorums.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'

/** What of a world decides that. */
export interface Inhabited<M extends StateMachine<R>, R> {
  readonly servers: readonly SimulatedServer<M, R>[]
  /** The first one. */
  readonly configuration: Configuration
  readonly members: CommittedConfigurations
  readonly committed: CommittedLog
  serverOf(id: ServerId): SimulatedServer<M, R> | undefined
}

/**
 * The committed configuration, and every later one that some server has and that may be committed yet. The servers that
 * must be there are a quorum of each.
 */
export function configurationsInPlay<M extends StateMachine<R>, R>(
  world: Inhabited<M, R>,
): readonly Configuration[] {
  const { latest } = world.members
  const found = [latest.configuration]
  for (const server of world.servers) {
    if (server.isLost || !mayWin(world, server)) continue
    for (const { index, configuration } of knownBy(server))
      if (index > latest.index) found.push(configuration)
  }
  return found
}

/** True when a quorum of every configuration in play has the disks that it counts on. */
export function isWhole<M extends StateMachine<R>, R>(
  world: Inhabited<M, R>,
  without?: ServerId,
): boolean {
  const isHealthy = ({ id }: { readonly id: ServerId }): boolean =>
    id !== without && world.serverOf(id)?.isHealthy === true
  return configurationsInPlay(world).every((configuration) => isQuorum(configuration, isHealthy))
}

/**
 * True when nobody would be misled by a server that comes back with an empty disk: whoever could ask for its vote has no
 * configuration that gives it one without naming the disk that it had. Nor may it be misled itself, by a configuration that
 * it is given again from the beginning of the log, together with others that came back empty and are not up to date yet.
 */
export function mayForget<M extends StateMachine<R>, R>(
  world: Inhabited<M, R>,
  { id }: { readonly id: ServerId },
): boolean {
  const trusts = ({ configuration }: IndexedConfiguration): boolean =>
    votersOf(configuration).some((voter) => voter.id === id && voter.diskId === undefined)
  if (areForgetful(world, id)) return false
  const { index } = world.members.latest
  return world.servers.every((server) => {
    if (server.id === id) return true
    const known = knownBy(server)
    if (known.length === 0) return !server.isFirst || server.disk.wasWiped
    const fallback = known.findLast((configuration) => configuration.index <= index)
    return !known.some((one) => (one === fallback || one.index > index) && trusts(one))
  })
}

/** True when this server and others that came back empty would be a quorum of a configuration that names no disks. */
function areForgetful<M extends StateMachine<R>, R>(world: Inhabited<M, R>, id: ServerId): boolean {
  const hasForgotten = (voter: Server): boolean => {
    if (voter.diskId !== undefined) return false
    if (voter.id === id) return true
    const disk = world.serverOf(voter.id)?.disk
    return disk?.wasWiped === true && disk.image.lastIndex < world.committed.lastIndex
  }
  return [world.configuration, ...world.servers.flatMap(knownConfigurations)].some(
    (configuration) =>
      configuration.servers.some((server) => server.id === id) &&
      isQuorum(configuration, hasForgotten),
  )
}

function knownConfigurations<M extends StateMachine<R>, R>(
  server: SimulatedServer<M, R>,
): readonly Configuration[] {
  return knownBy(server).map(({ configuration }) => configuration)
}

/** Configurations that a server may act on: those on its disk, and the one that its process has. */
function knownBy<M extends StateMachine<R>, R>({
  disk,
  raft,
}: SimulatedServer<M, R>): readonly IndexedConfiguration[] {
  const onDisk = disk.image.configurations
  const latest = raft?.configuration()
  return latest === undefined || latest.index === 0 ? onDisk : [...onDisk, latest]
}

/** False for a server with a log that a quorum would not vote for. */
function mayWin<M extends StateMachine<R>, R>(
  { committed }: Inhabited<M, R>,
  { disk, raft }: SimulatedServer<M, R>,
): boolean {
  const needed = committed.termAt(committed.lastIndex) ?? 0
  return disk.image.last.term >= needed || (raft?.stats().lastLogTerm ?? 0) >= needed
}
