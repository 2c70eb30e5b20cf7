// Every metric of a server: name, meaning, unit, labels. docs/metrics.md says which of hashicorp/raft's each one is.
import type { HistogramDescription, MetricDescription } from '@raftkit/interface'
import { BATCH_ENTRIES, LONG_SECONDS, SHORT_SECONDS } from './buckets.ts'

type Labels = readonly string[]

function counter(name: string, help: string, labels: Labels = []): MetricDescription {
  return { name: `raft_${name}_total`, help, unit: 'count', labels }
}

function duration(name: string, help: string, labels: Labels = []): HistogramDescription {
  const buckets = SHORT_SECONDS
  return { name: `raft_${name}_duration_seconds`, help, unit: 'seconds', labels, buckets }
}

function longDuration(name: string, help: string): HistogramDescription {
  return { ...duration(name, help), buckets: LONG_SECONDS }
}

function batch(name: string, help: string): HistogramDescription {
  return { name: `raft_${name}_entries`, help, unit: 'count', labels: [], buckets: BATCH_ENTRIES }
}

function gauge(name: string, help: string, labels: Labels = []): MetricDescription {
  return { name: `raft_${name}`, help, unit: 'count', labels }
}

function age(name: string, help: string, labels: Labels = []): MetricDescription {
  return { name: `raft_${name}_seconds`, help, unit: 'seconds', labels }
}

function ratio(name: string, help: string): MetricDescription {
  return { name: `raft_${name}_ratio`, help, unit: 'ratio', labels: [] }
}

export type CounterName =
  | 'applies'
  | 'barriers'
  | 'leadershipChecks'
  | 'restores'
  | 'roleChanges'
  | 'heartbeatTimeouts'
  | 'leaseTimeouts'
  | 'replicatedEntries'
  | 'rpcFailures'

/** What only grows. */
export const counters: Readonly<Record<CounterName, MetricDescription>> = {
  applies: counter('applies', 'Commands that callers asked this server to apply.'),
  barriers: counter('barriers', 'Barriers that callers asked for.'),
  leadershipChecks: counter(
    'leadership_checks',
    'Calls of verifyLeader: proofs of leadership that callers asked for.',
  ),
  restores: counter('restores', 'Snapshots from outside that callers asked to restore.'),
  roleChanges: counter(
    'role_changes',
    'Roles taken up; role is follower, pre-candidate, candidate or leader.',
    ['role'],
  ),
  heartbeatTimeouts: counter(
    'heartbeat_timeouts',
    'Elections begun by this follower because it heard no leader.',
  ),
  leaseTimeouts: counter(
    'lease_timeouts',
    'Leaderships given up because no quorum answered within the lease.',
  ),
  replicatedEntries: counter(
    'replicated_entries',
    'Entries that a peer acknowledged to this leader; those sent twice count twice.',
    ['peer'],
  ),
  rpcFailures: counter(
    'rpc_failures',
    'Requests to a peer that failed or were not answered in time.',
    ['type', 'peer'],
  ),
}

export type HistogramName =
  | 'commit'
  | 'commitSize'
  | 'dispatch'
  | 'dispatchSize'
  | 'storeWrite'
  | 'campaign'
  | 'restore'
  | 'fsmApply'
  | 'fsmApplyBatch'
  | 'fsmApplyBatchSize'
  | 'fsmQueue'
  | 'fsmRestore'
  | 'fsmSnapshot'
  | 'fsmStoreConfiguration'
  | 'snapshotCreate'
  | 'snapshotPersist'
  | 'snapshot'
  | 'rpc'
  | 'rpcHandling'

/** What is spread over buckets. */
export const histograms: Readonly<Record<HistogramName, HistogramDescription>> = {
  commit: duration(
    'commit',
    'From the turn in which the leader appended a group of entries until a quorum had it.',
  ),
  commitSize: batch(
    'commit',
    'Entries that became committed at once, as this server learned of it.',
  ),
  dispatch: duration(
    'leader_dispatch',
    'From the turn in which the leader appended a group of entries until its own disk had it.',
  ),
  dispatchSize: batch('leader_dispatch', 'Commands that the leader appended as one group.'),
  storeWrite: duration(
    'store_write',
    'One write to the log or stable store; kind is append, truncate, compaction (one slice of it), reset (the whole log went) or hard-state.',
    ['kind'],
  ),
  campaign: duration(
    'campaign',
    'One round of an election until it was won, lost or given up; phase is pre-vote or vote.',
    ['phase'],
  ),
  restore: longDuration(
    'restore',
    'A restore from outside: from its admission until the cluster had the state.',
  ),
  fsmApply: duration('fsm_apply', 'One call of apply of the state machine.'),
  fsmApplyBatch: duration('fsm_apply_batch', 'One call of applyBatch of the state machine.'),
  fsmApplyBatchSize: batch('fsm_apply_batch', 'Commands in one call of applyBatch.'),
  fsmQueue: duration(
    'fsm_queue',
    'From the turn in which entries were known to be committed until the state machine had applied them.',
  ),
  fsmRestore: longDuration('fsm_restore', 'One call of restore of the state machine.'),
  fsmSnapshot: duration('fsm_snapshot', 'One call of snapshot of the state machine.'),
  fsmStoreConfiguration: duration(
    'fsm_store_configuration',
    'One call of storeConfiguration of the state machine.',
  ),
  snapshotCreate: duration('snapshot_create', 'One call of create of the snapshot store.'),
  snapshotPersist: longDuration('snapshot_persist', 'One call of persist of a captured state.'),
  snapshot: longDuration('snapshot', 'A snapshot of this server, until it was saved.'),
  rpc: duration(
    'rpc',
    'A request to a peer until its answer, for those that were answered; type as in raft_rpc_handling_duration_seconds.',
    ['type', 'peer'],
  ),
  rpcHandling: duration(
    'rpc_handling',
    'A request of another server until its answer, the disk included; type is append-entries, heartbeat, request-vote, request-pre-vote, install-snapshot, timeout-now or forward.',
    ['type'],
  ),
}

export type GaugeName =
  | 'leaderLastContact'
  | 'lastContact'
  | 'mainSaturation'
  | 'fsmSaturation'
  | 'fsmLastRestore'
  | 'oldestEntryAge'
  | 'peers'
  | 'isLeader'
  | 'term'
  | 'lastIndex'
  | 'commitIndex'
  | 'appliedIndex'
  | 'queueLength'
  | 'queueLimit'

/** What is read when somebody looks. */
export const gauges: Readonly<Record<GaugeName, MetricDescription>> = {
  leaderLastContact: age(
    'leader_last_contact',
    "Age of a peer's newest answer, counted from its request, on the leader.",
    ['peer'],
  ),
  lastContact: age('last_contact', 'Time since this server heard from a leader; 0 on the leader.'),
  mainSaturation: ratio(
    'main_saturation',
    'Part of the last second in which turns of this server ran, a state machine that answers at once included.',
  ),
  fsmSaturation: ratio(
    'fsm_saturation',
    'Part of the last second in which the state machine was at work.',
  ),
  fsmLastRestore: age(
    'fsm_last_restore_duration',
    'The last call of restore of the state machine.',
  ),
  oldestEntryAge: age(
    'log_oldest_entry_age',
    'Age of the oldest entry in the log store, by wall clocks; looked up every ten seconds.',
  ),
  peers: gauge(
    'peers',
    'Members of the latest configuration, this server included; of both halves while it is joint.',
  ),
  isLeader: gauge('is_leader', '1 while this server leads, else 0.'),
  term: gauge('term', 'The current term.'),
  lastIndex: gauge('last_index', 'Last entry of the log.'),
  commitIndex: gauge('commit_index', 'Last entry known to be committed.'),
  appliedIndex: gauge('applied_index', 'Last entry that the state machine has applied.'),
  queueLength: gauge(
    'queue_length',
    'What waits, by queue; the queues are the back-pressure figures of stats().',
    ['queue'],
  ),
  queueLimit: gauge(
    'queue_limit',
    'The limit of a queue, for queues that have one option for it.',
    ['queue'],
  ),
}

/** All metrics of a server. Each has the label `server` beside its own. */
export const metricCatalogue: readonly MetricDescription[] = [
  ...Object.values(counters),
  ...Object.values(histograms),
  ...Object.values(gauges),
].map((metric) => ({ ...metric, labels: ['server', ...metric.labels] }))
