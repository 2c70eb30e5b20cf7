import type { RaftError } from '@raftkit/interface'
import { type Clock, type Index, type Logger } from '@raftkit/interface'
import type { RaftConfig } from '../../config.ts'
import { Applier, type AppliedStart } from '../state-machine/applier.ts'
import type { Responses } from '../state-machine/entry-applier.ts'
import { abortedStart, throwIfAborted } from '../start-abortion.ts'
import type { Loaded } from './start-up.ts'
import type { Storage } from '../../storage.ts'

/** What a replay works with. */
export interface ReplayParts<R> {
  readonly storage: Storage<R>
  readonly clock: Clock
  readonly config: Pick<RaftConfig, 'maxApplyTurnMs' | 'maxApplyBatch'>
  readonly logger: Logger
  /** Gives up with `RAFT_ABORTED`; what the state machine does at that moment it may still finish. */
  readonly signal: AbortSignal | undefined
}

/**
 * Gives the state machine the entries that are known to be committed, before the server takes part: whoever reads from it
 * then sees them, and nothing that it does meanwhile goes unheard. In batches, with the time that it gets in one turn of
 * the event loop. Rejects with what the state machine or the store does wrong.
 */
export async function replay<R>(parts: ReplayParts<R>, loaded: Loaded): Promise<Loaded> {
  const { commitIndex } = loaded.consensus
  if (commitIndex === undefined) return loaded
  const { logger, signal } = parts
  throwIfAborted(signal)
  const applied = await applyUpTo(parts, loaded, commitIndex)
  logger.info({ from: loaded.applied.index, to: commitIndex }, 'applied what was committed')
  return { ...loaded, applied }
}

function applyUpTo<R>(parts: ReplayParts<R>, loaded: Loaded, to: Index): Promise<AppliedStart> {
  const { clock, config, storage, signal } = parts
  const { logStore, stateMachine } = storage
  const { tail } = loaded
  return new Promise((resolve, reject) => {
    const log = {
      batchAt: (index: Index) => tail.batchAt(index),
      read: (from: Index, last: Index, maxBytes: number) => logStore.read(from, last, { maxBytes }),
    }
    const onAbort = (): void => {
      void applier.close()
      reject(abortedStart(signal))
    }
    const ended = (): void => signal?.removeEventListener('abort', onAbort)
    const applier: Applier<R> = new Applier<R>(clock, config, log, stateMachine, loaded.applied, {
      onApplied: (_batch, _from, index, _responses: Responses<R>) => {
        if (index < to) return
        ended()
        resolve(applier.standing)
      },
      onFailed: (error: RaftError) => {
        ended()
        reject(error)
      },
    })
    signal?.addEventListener('abort', onAbort, { once: true })
    applier.commit(to)
    applier.run()
  })
}
