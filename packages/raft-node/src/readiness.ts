import type { Raft } from '@raftkit/raft-core'
import type { Deadline } from './deadline.ts'
import { decodeIndex } from './forwarding/leader-service.ts'
import type { Router } from './forwarding/router.ts'

/** How often a node that catches up looks whether it has: milliseconds. */
const lookEveryMs = 5

/**
 * Resolves when a leader is known and this server has applied everything that was committed when the leader
 * answered (the read index of dissertation §6.4). Rejects as {@link Router.route} does, or with `RAFT_TIMEOUT`.
 */
export async function caughtUp(
  raft: Pick<Raft<Uint8Array>, 'appliedIndex' | 'on'>,
  router: Router,
  deadline: Deadline,
): Promise<void> {
  const index = decodeIndex(await router.route('read-index', new Uint8Array(0), deadline))
  while (raft.appliedIndex < index) {
    router.check()
    deadline.check('not-committed')
    if (deadline.passed)
      throw deadline.expiry(
        'not-committed',
        `Catching up to index ${index} (now at ${raft.appliedIndex})`,
      )
    await deadline.pause(lookEveryMs, (wake) => router.onClose(wake))
  }
}
