// How the lanes of a server end: everyone who waits is told at once, what is being written is waited for.
import type { Clock, RaftError } from '@raftkit/interface'
import type { Lanes } from './lanes.ts'
import { withOutcome } from './calls/refusals.ts'

/** Tells everyone who waits why nothing comes any more; nothing new begins. */
export function closeLanes<R>(lanes: Lanes<R>, reason: RaftError): void {
  lanes.proposals.close(reason, lanes.applier.commitIndex)
  lanes.reads.close(withOutcome(reason, undefined))
  lanes.membershipChanges.close(reason)
  lanes.bootstraps.close(reason)
  lanes.restores.close(reason)
  lanes.transfers.close(withOutcome(reason, undefined))
  // What it waits for is waited for by whoever shuts the server down.
  void lanes.snapshotter.close(reason)
  lanes.peers.close()
  lanes.snapshotSender.close()
  lanes.rpcServer.close()
  lanes.outbox.close()
  lanes.log.writer.close()
}

/** Resolves when nothing is under way in the lanes any more, whatever came of it. */
export async function whenLanesEnded<R>(lanes: Lanes<R>): Promise<void> {
  await Promise.allSettled([
    lanes.applier.close(),
    lanes.snapshotter.close(),
    lanes.snapshotReceiver.close(),
    lanes.restores.whenIdle(),
    lanes.log.writer.whenIdle(),
  ])
}

/** True when `ended` settles within `timeoutMs`. */
export function isEndedWithin(
  clock: Clock,
  timeoutMs: number,
  ended: Promise<unknown>,
): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = clock.setTimer(timeoutMs, () => resolve(false))
    void ended.then(() => {
      timer.cancel()
      resolve(true)
    })
  })
}
