// How somebody asks for a change of the members: with care, and now and then with little patience.
import { type Configuration, RaftError, type StateMachine } from '@raftkit/interface'
import type { MembershipOptions, Raft } from '@raftkit/raft-core'
import { isQuorum } from '../checks/quorums.ts'
import type { Stream } from '../random/streams.ts'
import type { World } from '../world/world.ts'
import { troubleMs } from './act.ts'

/** Asks the leader for a change, now and then on a condition, or with little patience. True when it is made. */
export async function change<M extends StateMachine<R>, R>(
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
export function latestOf<M extends StateMachine<R>, R>(world: World<M, R>): Configuration {
  const raft = world.leader()?.raft
  const { servers, next } =
    raft?.configuration().configuration ?? world.members.latest.configuration
  return { servers: next ?? servers }
}

/** True when a quorum of the configuration would have the disks that it counts on. */
export function staysWhole<M extends StateMachine<R>, R>(
  world: World<M, R>,
  configuration: Configuration,
): boolean {
  return isQuorum(configuration, ({ id }) => world.serverOf(id)?.isHealthy === true)
}
