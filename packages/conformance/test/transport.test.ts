import { testTransport } from '@raftkit/conformance'
import type { Runner } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { DirectTransport } from './reference/direct-transport.ts'
import * as broken from './transport-defects.ts'
import type { Defect } from './transport-defects.ts'

/** Registers the suite on the plain transport, with a defect or without. */
function register(runner: Runner, defect: Defect = () => ({})): void {
  const hub = new Map<string, DirectTransport>()
  let opened = 0
  testTransport({
    runner,
    name: 'DirectTransport',
    supports: { extensions: true, preVote: true, breakConnections: true },
    open: async () => {
      const transport = new DirectTransport(hub, `server-${++opened}`)
      return withMethods(transport, defect(transport))
    },
    breakConnections: async (a) => {
      for (const pipeline of a.pipelines) pipeline.close()
    },
  })
}

describe('testTransport', () => {
  register(
    { describe, it },
    broken.inPipelines(() => ({})),
  )

  it.each<readonly [defect: string, caughtBy: string, Defect]>([
    [
      'drops an entry',
      'with entries in several batches',
      broken.inRequests(broken.withoutLastBatch),
    ],
    [
      'takes no entries for a heartbeat',
      'append-entries without entries',
      broken.inRequests(broken.nullEntries),
    ],
    [
      'takes a heartbeat for no entries',
      'a bare heartbeat',
      broken.inRequests(broken.emptyEntries),
    ],
    ['drops the header', 'carries timeout-now', broken.inRequests(broken.withoutHeader)],
    [
      'drops the conflict of an answer',
      'and a conflict',
      broken.inResponses(broken.withoutConflict),
    ],
    ['uses 32 bits', 'carries request-vote', broken.inRequests(broken.in32Bits)],
    ['hands requests over twice', 'carries timeout-now', broken.inHandler(broken.twice)],
    ['hides the error of a handler', 'brings the error of a handler', broken.hiddenErrors],
    ['waits for a missing handler', 'as long as there is no handler', broken.waitsForHandler],
    ['never gives up', 'rejects with RAFT_RPC_TIMEOUT at the deadline', broken.patient],
    ['sends in spite of the signal', 'sends nothing when the signal', broken.deaf],
    ['does one call at a time', 'does not keep a call waiting', broken.oneAtATime()],
    [
      'does not say that a caller is gone',
      'aborts the signal',
      broken.inHandler(broken.withoutSignal),
    ],
    [
      'pipelines one at a time',
      'before the first is answered',
      broken.inHandler(broken.serially()),
    ],
    [
      'answers a pipeline out of order',
      'finishes in reverse',
      broken.inPipelines(broken.unordered),
    ],
    ['is always writable', 'is not writable for ever', broken.inPipelines(broken.alwaysWritable)],
    ['closes a pipeline on an error', 'rejects only the send', broken.inPipelines(broken.fragile)],
    [
      'works after its pipeline was closed',
      'and every send after',
      broken.inPipelines(broken.immortal),
    ],
    ['opens a pipeline to nobody', 'RAFT_DIAL_FAILED', broken.optimistic],
    ['reads ahead without bound', 'reads the source no faster', broken.greedy],
    ['shortens a snapshot', 'byte for byte', broken.cutting],
    ['takes half a snapshot', 'fails at both ends when the source fails', broken.lenient],
    ['does not let go of a source', 'before the snapshot was read, and lets go', broken.clinging],
    ['does not stop when told', 'stops when the signal is aborted midway', broken.unstoppable],
    ['forgets what is outstanding', 'settles every promise when closed', broken.forgetful],
    ['works after close', 'refuses every call after close', broken.undead],
  ])('finds a transport out that %s', async (_defect, caughtBy, defect) => {
    const failed = await failuresOf((runner) => register(runner, defect), caughtBy)
    expect([...failed.keys()]).not.toEqual([])
  })

  it('wants what the manifest denies to be refused', async () => {
    const failed = await failuresOf((runner) => {
      const hub = new Map<string, DirectTransport>()
      let opened = 0
      testTransport({
        runner,
        name: 'DirectTransport',
        supports: { extensions: false, preVote: false, breakConnections: true },
        open: async () => new DirectTransport(hub, `server-${++opened}`),
      })
    }, 'manifest')
    expect([...failed.keys()]).toEqual([
      'supports what its manifest says',
      'refuses forward, which its manifest denies',
      'refuses forward without a payload, which its manifest denies',
      'refuses request-pre-vote, which its manifest denies',
    ])
  })
})
