// The instruments of one server, made once; those of a peer when it first appears.
import {
  type Counter,
  type Histogram,
  type Metrics,
  RPC_LABELS,
  type RpcLabel,
  type ServerId,
} from '@raftkit/interface'
import { type CounterName, counters, type HistogramName, histograms } from './catalogue.ts'

/** What the stores are written for. */
export type WriteKind = 'append' | 'truncate' | 'compaction' | 'reset' | 'hard-state'

const WRITE_KINDS: readonly WriteKind[] = [
  'append',
  'truncate',
  'compaction',
  'reset',
  'hard-state',
]

const ROLES = ['follower', 'pre-candidate', 'candidate', 'leader'] as const

/** A role as its counter has it. */
export type CountedRole = (typeof ROLES)[number]

/** What is measured of the requests to one peer. */
export interface PeerInstruments {
  readonly durations: Readonly<Record<RpcLabel, Histogram>>
  readonly failures: Readonly<Record<RpcLabel, Counter>>
  readonly entries: Counter
}

/** One instrument for each metric and label value that is known from the start. */
export class Instruments {
  readonly applies: Counter
  readonly barriers: Counter
  readonly leadershipChecks: Counter
  readonly restores: Counter
  readonly heartbeatTimeouts: Counter
  readonly leaseTimeouts: Counter
  readonly roles: Readonly<Record<CountedRole, Counter>>
  readonly commit: Histogram
  readonly commitSize: Histogram
  readonly dispatch: Histogram
  readonly dispatchSize: Histogram
  readonly storeWrites: Readonly<Record<WriteKind, Histogram>>
  readonly preVoteCampaign: Histogram
  readonly voteCampaign: Histogram
  readonly restore: Histogram
  readonly fsmApply: Histogram
  readonly fsmApplyBatch: Histogram
  readonly fsmApplyBatchSize: Histogram
  readonly fsmQueue: Histogram
  readonly fsmRestore: Histogram
  readonly fsmSnapshot: Histogram
  readonly fsmStoreConfiguration: Histogram
  readonly snapshotCreate: Histogram
  readonly snapshotPersist: Histogram
  readonly snapshot: Histogram
  readonly rpcHandling: Readonly<Record<RpcLabel, Histogram>>
  readonly #metrics: Metrics
  readonly #peers = new Map<ServerId, PeerInstruments>()

  constructor(metrics: Metrics) {
    this.#metrics = metrics
    const counter = (name: CounterName): Counter => metrics.counter(counters[name], {})
    const histogram = (name: HistogramName): Histogram => metrics.histogram(histograms[name], {})
    this.applies = counter('applies')
    this.barriers = counter('barriers')
    this.leadershipChecks = counter('leadershipChecks')
    this.restores = counter('restores')
    this.heartbeatTimeouts = counter('heartbeatTimeouts')
    this.leaseTimeouts = counter('leaseTimeouts')
    this.roles = each(ROLES, (role) => metrics.counter(counters.roleChanges, { role }))
    this.commit = histogram('commit')
    this.commitSize = histogram('commitSize')
    this.dispatch = histogram('dispatch')
    this.dispatchSize = histogram('dispatchSize')
    this.storeWrites = each(WRITE_KINDS, (kind) =>
      metrics.histogram(histograms.storeWrite, { kind }),
    )
    this.preVoteCampaign = metrics.histogram(histograms.campaign, { phase: 'pre-vote' })
    this.voteCampaign = metrics.histogram(histograms.campaign, { phase: 'vote' })
    this.restore = histogram('restore')
    this.fsmApply = histogram('fsmApply')
    this.fsmApplyBatch = histogram('fsmApplyBatch')
    this.fsmApplyBatchSize = histogram('fsmApplyBatchSize')
    this.fsmQueue = histogram('fsmQueue')
    this.fsmRestore = histogram('fsmRestore')
    this.fsmSnapshot = histogram('fsmSnapshot')
    this.fsmStoreConfiguration = histogram('fsmStoreConfiguration')
    this.snapshotCreate = histogram('snapshotCreate')
    this.snapshotPersist = histogram('snapshotPersist')
    this.snapshot = histogram('snapshot')
    this.rpcHandling = each(RPC_LABELS, (type) =>
      metrics.histogram(histograms.rpcHandling, { type }),
    )
  }

  /** Those of the requests to one peer. */
  peer(peer: ServerId): PeerInstruments {
    let instruments = this.#peers.get(peer)
    if (instruments === undefined) {
      const metrics = this.#metrics
      instruments = {
        durations: each(RPC_LABELS, (type) => metrics.histogram(histograms.rpc, { type, peer })),
        failures: each(RPC_LABELS, (type) => metrics.counter(counters.rpcFailures, { type, peer })),
        entries: metrics.counter(counters.replicatedEntries, { peer }),
      }
      this.#peers.set(peer, instruments)
    }
    return instruments
  }
}

function each<K extends string, I>(
  keys: readonly K[],
  make: (key: K) => I,
): Readonly<Record<K, I>> {
  return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, I>
}
