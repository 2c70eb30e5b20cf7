// Commands that clients send: to the leader, or through another server.
import type { StateMachine } from '@raftkit/interface'
import type { Stream } from '../random/streams.ts'
import type { World } from '../world/world.ts'
import type { Reached } from './reached.ts'

/** Has a command carried out, and gives what the state machine answers. */
export async function sendCommand<M extends StateMachine<R>, R>(
  { options, acknowledged, forwarded, marks }: World<M, R>,
  random: Stream,
  { raft }: Reached<M, R>,
  command: Uint8Array,
): Promise<R> {
  const { timeoutMs } = options.workload
  if (raft.state !== 'leader' && random.chance(options.workload.forwarded)) {
    const bytes = await raft.forwardToLeader(command, { timeoutMs })
    const { id, index, term, response } = forwarded.take(bytes)
    acknowledged.acknowledged(id, index, term)
    marks.hit('a command went through another server to the leader')
    return response
  }
  const { index, term, response } = await raft.apply(command, { timeoutMs })
  acknowledged.acknowledged(raft.id, index, term)
  return response
}
