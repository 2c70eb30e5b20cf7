import type { ServerId, StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Process } from '../server/process.ts'
import type { ServerRun } from '../server/server-run.ts'
import type { SimulatedServer } from '../server/simulated-server.ts'

/** What a client reaches of a server. */
export interface Reached<M extends StateMachine<R>, R> {
  readonly id: ServerId
  readonly raft: Raft<R>
  readonly machine: M
  readonly process: Process
  readonly run: ServerRun<M, R>
}

/** Undefined while the server is down or starting. */
export function reach<M extends StateMachine<R>, R>({
  id,
  run,
}: SimulatedServer<M, R>): Reached<M, R> | undefined {
  if (run?.raft === undefined) return undefined
  const { raft, machine, process } = run
  return { id, raft, machine, process, run }
}
