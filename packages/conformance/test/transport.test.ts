import { testTransport } from '@raftkit/conformance'
import type { Runner, TransportManifest } from '@raftkit/conformance'
import { describe, expect, it } from 'vitest'
import { failuresOf, withMethods } from './collecting-runner.ts'
import { DirectTransport } from './reference/direct-transport.ts'
import * as broken from './transport-defects.ts'
import type { Defect } from './transport-defects.ts'

const everything: TransportManifest = {
  extensions: true,
  preVote: true,
  breakConnections: true,
  duplication: true,
  sizeLimit: true,
}

/** Registers the suite on the plain transport, with a defect or without. */
function register(
  runner: Runner,
  defect: Defect = () => ({}),
  supports: TransportManifest = everything,
): void {
  const hub = new Map<string, DirectTransport>()
  let opened = 0
  testTransport({
    runner,
    name: 'DirectTransport',
    supports,
    open: async () => {
      const transport = new DirectTransport(hub, `server-${++opened}`)
      return withMethods(transport, defect(transport))
    },
    openLimited: async (maxRequestBytes) => {
      const transport = new DirectTransport(hub, `server-${++opened}`)
      transport.maxRequestBytes = maxRequestBytes
      return withMethods(transport, defect(transport))
    },
    duplicate: async (a, b) => {
      a.doubles = true
      b.doubles = true
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
    ['sends again after a break', 'hands every request over once', broken.inHandler(broken.twice)],
    ['mixes doubled answers up', 'each of many calls its own answer when', broken.mixedUp()],
    ['takes what comes twice once', 'hands a request over twice when', broken.withoutDoubles],
    ['takes requests of any size', 'refuses a call above its size limit', broken.boundless],
    ['dies of a large request', 'refuses a call above its size limit', broken.diesOfLarge],
    ['counts a snapshot as a request', 'takes a snapshot that is larger', broken.countsSnapshots],
    ['holds to the signal of an opening', 'is left alone when the signal', broken.holdsToSignal],
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
        supports: { ...everything, extensions: false, preVote: false },
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

  it.each(['breakConnections', 'duplication', 'sizeLimit'] as const)(
    'refutes a manifest that denies %s when the transport has it',
    async (flag) => {
      const denied = { ...everything, [flag]: false }
      const failed = await failuresOf((runner) => register(runner, () => ({}), denied), 'supports')
      expect(String([...failed.values()][0])).toContain(`supports.${flag} is false, but that works`)
    },
  )
})
