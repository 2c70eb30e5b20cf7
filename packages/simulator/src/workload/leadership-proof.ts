import type { StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { World } from '../world/world.ts'

/** Asks a server to prove that it leads: one that does was not replaced before it was asked. */
export async function proveLeadership<M extends StateMachine<R>, R>(
  { elections, acknowledged, marks }: World<M, R>,
  raft: Raft<R>,
  timeoutMs: number,
): Promise<void> {
  const led = elections.highestLed
  const wasLeader = raft.state === 'leader'
  try {
    await raft.verifyLeader({ timeoutMs })
  } catch (error) {
    if (wasLeader) marks.hit('a leader could not prove that it leads')
    throw error
  }
  marks.hit('a leader proved that it leads')
  acknowledged.verified(raft.id, led, raft.currentTerm)
}
