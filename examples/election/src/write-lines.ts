import { setTimeout as sleep } from 'node:timers/promises'
import type { Leadership } from '@raftkit/raft-node'

/** What the leader does: writes a line to the ledger from time to time, as long as it leads. */
export async function writeLines(
  { fencingToken, signal }: Leadership,
  ledger: URL,
  author: string,
  everyMs: number,
): Promise<void> {
  while (!signal.aborted) {
    const target = new URL(ledger)
    target.searchParams.set('token', String(fencingToken))
    target.searchParams.set('text', `written by ${author}`)
    const response = await fetch(target, { method: 'POST', signal }).catch(() => undefined)
    // Another leader has written already: this one is none any more, whatever it knows.
    if (response?.status === 409) return
    await sleep(everyMs, undefined, { signal })
  }
}
