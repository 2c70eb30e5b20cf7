import { RaftError, type StateMachine } from '@raftkit/interface'
import type { Raft } from '@raftkit/raft-core'
import type { Process } from './process.ts'
import type { Surroundings } from './surroundings.ts'

/** Begins the cluster with a server that runs, unless it belongs to it by now. */
export function bootstrapRunning<M extends StateMachine<R>, R>(
  raft: Raft<R>,
  { openCalls, configuration, marks, violate }: Surroundings<M, R>,
  process: Process,
): void {
  if (raft.state === 'stopped') return
  const asked = raft.bootstrapCluster(configuration)
  openCalls.watch(`bootstrap of ${raft.id}`, asked, process.died)
  asked.then(
    () => marks.hit('a running server was bootstrapped'),
    (error: unknown) => {
      if (RaftError.is(error, 'RAFT_CANT_BOOTSTRAP'))
        marks.hit('a server belonged to the cluster before it was bootstrapped')
      else if (!RaftError.is(error)) violate('honest outcomes', `bootstrap: ${String(error)}`)
    },
  )
}
