// Every check of the simulator, shown something wrong: it must say so. And something right that looks alike: it must not.
import { describe, expect, it } from 'vitest'
import { type AppendEntriesRequest, RaftError, type StateMachine } from '@raftkit/interface'
import { type CheckName, runSeed } from '@raftkit/simulator'
import { checkAcknowledgement, type GoneEntries } from '../../src/checks/acknowledgements.ts'
import { CheckedMachine } from '../../src/checks/checked-machine.ts'
import { checkQuietness } from '../../src/checks/quietness.ts'
import { checkStart } from '../../src/checks/damage.ts'
import { checkLeaderTruncation } from '../../src/checks/leader-log.ts'
import { OpenCalls } from '../../src/checks/open-calls.ts'
import { Progress, type Watched } from '../../src/checks/progress.ts'
import { checkRemovedRead } from '../../src/checks/removed-reads.ts'
import { type ReadState, SeenStates } from '../../src/checks/seen-states.ts'
import { SharedQuestions } from '../../src/checks/shared-questions.ts'
import { checkSteadiness } from '../../src/checks/steadiness.ts'
import { checkTimers } from '../../src/checks/shutdown.ts'
import { SimulatedDisk } from '../../src/disk/simulated-disk.ts'
import { Stream } from '../../src/random/streams.ts'
import { Process } from '../../src/server/process.ts'
import { ServerClock } from '../../src/server/server-clock.ts'
import { VirtualTime } from '../../src/time/virtual-time.ts'
import { KvMachine } from '../../src/workload/kv-machine.ts'
import { kvWorkload } from '../../src/workload/kv-workload.ts'
import { leftovers, openEnds } from '../../src/world/at-rest.ts'
import {
  Bench,
  BY_VOTERS,
  changeTo,
  commands,
  configuration,
  FIRST,
  headerOf,
  JOINT,
  jointOf,
  snapshotMeta,
  VOTERS,
} from './bench.ts'

type Scene = (bench: Bench) => void | Promise<void>

interface Case {
  readonly name: string
  readonly wrong: Scene
  /** Much like it, and allowed. */
  readonly right?: Scene
}

const append = (entries: AppendEntriesRequest['entries']): AppendEntriesRequest => ({
  type: 'append-entries',
  header: headerOf('n1'),
  term: 3,
  prevLogIndex: 0,
  prevLogTerm: 0,
  entries,
  leaderCommit: 0,
})

const accepted = {
  type: 'append-entries',
  header: headerOf('n2'),
  term: 3,
  lastLogIndex: 1,
  success: true,
  noRetryBackoff: false,
} as const

const voteRequest = {
  type: 'request-vote',
  header: headerOf('n1'),
  term: 3,
  lastLogIndex: 0,
  lastLogTerm: 0,
  leadershipTransfer: false,
} as const

/** A server that says this of itself, one look after the other. */
function watch(bench: Bench, ...looks: readonly Partial<Watched>[]): void {
  let now: Watched = {
    currentTerm: 1,
    commitIndex: 0,
    appliedIndex: 0,
    state: 'follower',
    configuration: () => ({ configuration: { servers: VOTERS } }),
  }
  const raft: Watched = {
    get currentTerm() {
      return now.currentTerm
    },
    get commitIndex() {
      return now.commitIndex
    },
    get appliedIndex() {
      return now.appliedIndex
    },
    get state() {
      return now.state
    },
    configuration: () => now.configuration(),
  }
  const progress = new Progress('n1', raft, bench.committed, bench.violate)
  for (const look of looks) {
    now = { ...now, ...look }
    progress.look()
  }
}

/** Two commands are acknowledged, at 10 and 30; at 60 a read that allows so much is served as of the first. */
function bounded(bench: Bench, maxStalenessMs: number): void {
  bench.commit(1, [1, 1])
  bench.now = 10
  bench.acknowledged.acknowledged('n1', 1, 1)
  bench.now = 30
  bench.acknowledged.acknowledged('n1', 2, 1)
  const needed = bench.acknowledged.lastIndexBefore(60 - maxStalenessMs)
  bench.acknowledged.readBounded('n2', needed, 1)
}

/** The only command is acknowledged at 75; at 100 a server that has nothing is read. */
async function boundedOn(
  bench: Bench,
  { rate, jumpMs, agoMs }: { rate: number; jumpMs: number; agoMs: number },
): Promise<void> {
  const { acknowledged } = bench
  const time = new VirtualTime()
  const process = new Process()
  const random = new Stream(1, 'clock')
  const clock = new ServerClock({ time, process, random, rate, onRun: () => {} })
  bench.commit(1, [1])
  time.at(75, () => {
    bench.now = 75
    acknowledged.acknowledged('n1', 1, 1)
  })
  time.at(80, () => clock.jump(jumpMs))
  time.at(100, () => {
    const before = clock.worldTimeBefore(agoMs)
    acknowledged.readBounded('n2', acknowledged.lastIndexBefore(before), 0)
  })
  await time.run(() => false)
}

/** A reader is shown a machine by a server that has applied so much; entry 1 is committed. */
function seen(bench: Bench, machine: ReadState, ...looks: readonly number[]): void {
  bench.commit(1, [1])
  const { committed, applied, violate } = bench
  const states = new SeenStates({ id: 'n1', machine, committed, applied, violate })
  for (const index of looks) states.look(index)
}

async function removedRead(violate: Bench['violate'], read: Promise<unknown>): Promise<void> {
  checkRemovedRead(violate, 'n1', read)
  await read.catch(() => {})
}

/** A follower asks for read indexes at these times. */
function questions({ violate }: Bench, ...times: readonly number[]): void {
  const shared = new SharedQuestions('n2', violate)
  const payload = Uint8Array.of(0)
  for (const at of times)
    shared.sent({ type: 'forward', kind: 'read-index', header: headerOf('n2'), payload }, at)
}

/** What a machine does that keeps only half of its state in its snapshots. */
function checkedMachine(bench: Bench, isForgetful: boolean): CheckedMachine<number> {
  const machine = (): StateMachine<number> => {
    let count = 0
    return {
      apply: () => ++count,
      snapshot: () => ({ persist: (writer) => writer.write(Uint8Array.of(count)) }),
      async restore(state) {
        for await (const chunk of state) count = isForgetful ? 0 : (chunk[0] ?? 0)
      },
    }
  }
  return new CheckedMachine<number>({
    id: 'n1',
    machine: machine(),
    applied: bench.applied,
    violate: bench.violate,
    beforeApply: () => {},
    check: () => (isForgetful ? 'it forgets' : undefined),
    fresh: machine,
  })
}

async function snapshotOf(machine: CheckedMachine<number>): Promise<void> {
  void machine.apply({ index: 1, term: 1, type: 0, data: Uint8Array.of(1) })
  await (await machine.snapshot()).persist({ write: async () => {} })
}

/** A whole run with a machine or workload that spoils it. */
async function run(
  bench: Bench,
  newMachine: () => KvMachine,
  workload = kvWorkload,
): Promise<void> {
  const { violation } = await runSeed(1, {
    profile: 'calm',
    servers: 1,
    stateMachine: newMachine,
    workload,
    reduction: { untilMs: 6000, clients: 3, calls: 80 },
  })
  if (violation !== undefined) bench.found.push(violation)
}

/** A machine whose `apply` does something else from command `from` on. */
function spoiled(from: number, then: () => never | Promise<never>): () => KvMachine {
  return () => {
    const machine = new KvMachine()
    const apply = machine.apply.bind(machine)
    machine.apply = (entry) => (entry.index < from ? apply(entry) : (then() as never))
    return machine
  }
}

/** n1 is elected in term 3 by these; the configuration may name the disk of n2, which is 2. */
function castVotes(bench: Bench, voters: readonly string[], diskOfSecond?: number): void {
  const n1 = { id: 'n1', address: 'n1' }
  for (const id of voters) {
    bench.image(id).values.set('disk-id', new TextEncoder().encode(id.slice(1)))
    bench.elections.saved(id, bench.image(id), { term: 3, votedFor: n1 })
  }
  const servers = VOTERS.map((server) =>
    server.id === 'n2' && diskOfSecond !== undefined ? { ...server, diskId: diskOfSecond } : server,
  )
  bench.elections.elected('n1', 3, { servers })
}

/** n1 is given a snapshot at index 9 in term 4, and n2 gets it from there. */
function restored(bench: Bench): void {
  bench.commit(1, [1, 2])
  bench.restores.asked('n1')
  for (const id of ['n1', 'n2']) {
    bench.committed.checkSnapshot(id, 9, 4)
    bench.image(id).keep({ meta: snapshotMeta(9, 4), state: new Uint8Array(0) })
    bench.image(id).truncatePrefix(2)
  }
}

/** As {@link restored}; the leader of this term goes on, with the restore if it is 4, and n2 has a snapshot of that. */
function restoredAndGoneOn(bench: Bench, term: number): void {
  restored(bench)
  if (term !== 4) bench.image('n2').snapshots = []
  bench.append(['n1', 'n2'], commands(10, [term]))
  if (term === 4) bench.committed.commit('n1', 10, term, BY_VOTERS)
  bench.image('n2').keep({ meta: snapshotMeta(10, term), state: new Uint8Array(0) })
  bench.image('n2').truncatePrefix(10)
}

/** n2 says that it has these entries. */
function acknowledge(bench: Bench, entries: AppendEntriesRequest['entries']): void {
  const image = bench.image('n2')
  checkAcknowledgement(bench.violate, 'n2', image, append(entries), accepted, {
    committedTerm: (index) => bench.committed.termAt(index),
    isReplaced: (index, term) => bench.restores.isReplaced(image, index, term),
  })
}

/** Entries that a disk has no more are of the committed term. */
function gone(term: number | undefined): GoneEntries {
  return { committedTerm: () => term, isReplaced: () => false }
}

/** Those are shown elsewhere: simulate.test.ts and time/real-time-guard.test.ts. */
type Elsewhere = 'every run ends' | 'nothing but the seed'

const CASES: Readonly<Record<Exclude<CheckName, Elsewhere>, readonly Case[]>> = {
  'election safety': [
    {
      name: 'two leaders in one term',
      wrong: ({ elections }) => {
        elections.leads('n1', 3)
        elections.leads('n2', 3)
      },
      right: ({ elections }) => {
        elections.leads('n1', 3)
        elections.leads('n1', 3)
        elections.leads('n2', 4)
      },
    },
    {
      name: 'a leader that half of the voters voted for',
      wrong: (bench) => castVotes(bench, ['n1']),
      right: (bench) => castVotes(bench, ['n1', 'n2']),
    },
    {
      name: 'a leader that counted the vote of a forgotten disk',
      wrong: (bench) => castVotes(bench, ['n1', 'n2'], 7),
      right: (bench) => castVotes(bench, ['n1', 'n2'], 2),
    },
  ],
  'leader append-only': [
    {
      name: 'a leader that removes an entry of its term',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1, 3]))
        const leader = { state: 'leader', currentTerm: 3 } as const
        checkLeaderTruncation(bench.violate, 'n1', leader, bench.image('n1'), 2)
      },
      right: (bench) => {
        // It decided that while it still followed; its own entries come behind it.
        bench.append(['n1'], commands(1, [1, 2]))
        const leader = { state: 'leader', currentTerm: 3 } as const
        checkLeaderTruncation(bench.violate, 'n1', leader, bench.image('n1'), 2)
      },
    },
  ],
  'log matching': [
    {
      name: 'two entries of one index and term',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1], 'a'))
        bench.append(['n2'], commands(1, [1], 'b'))
      },
      right: (bench) => {
        bench.append(['n1'], commands(1, [1], 'a'))
        bench.append(['n2'], commands(1, [2], 'b'))
      },
    },
    {
      name: 'one entry after two pasts',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1, 3]))
        bench.append(['n2'], commands(1, [2, 3]))
      },
    },
    {
      name: 'terms that go down',
      wrong: (bench) => bench.append(['n1'], commands(1, [2, 1])),
    },
  ],
  'leader completeness': [
    {
      name: 'a leader without a committed entry',
      wrong: (bench) => {
        bench.commit(1, [1, 2])
        bench.image('n3').truncateSuffix(2)
        bench.append(['n3'], commands(2, [3]))
      },
      right: (bench) => {
        bench.commit(1, [1, 2])
        bench.append(['n3'], commands(3, [3]))
      },
    },
    {
      name: 'a committed entry that is removed',
      wrong: (bench) => {
        bench.image('n3').hardState = { term: 2 }
        bench.commit(1, [1, 2])
        bench.committed.checkTruncation('n3', bench.image('n3'), 2)
      },
      right: (bench) => {
        bench.image('n3').hardState = { term: 2 }
        bench.commit(1, [1])
        bench.append(['n3'], commands(2, [1]))
        bench.committed.checkTruncation('n3', bench.image('n3'), 2)
      },
    },
  ],
  'state machine safety': [
    {
      name: 'two commands at one place',
      wrong: ({ applied }) => {
        applied.apply('n1', 1, 1, 7, 0)
        applied.apply('n2', 1, 1, 8, 0)
      },
      right: ({ applied }) => {
        applied.apply('n1', 1, 1, 7, 0)
        applied.apply('n2', 1, 1, 7, 0)
      },
    },
    {
      name: 'one command after two pasts',
      wrong: ({ applied }) => {
        applied.apply('n1', 2, 1, 7, 0)
        applied.apply('n2', 2, 1, 7, 99)
      },
    },
    {
      name: 'a command applied before it is committed',
      wrong: (bench) => watch(bench, { appliedIndex: 1 }),
    },
    {
      name: 'a snapshot of what is not committed',
      wrong: ({ committed }) => committed.checkSnapshot('n1', 4, 2),
      right: (bench) => {
        bench.commit(1, [1, 2])
        bench.committed.checkSnapshot('n1', 2, 2)
      },
    },
    {
      name: 'a snapshot of a restore that nobody asked for',
      wrong: (bench) => {
        bench.commit(1, [1, 2])
        bench.committed.checkSnapshot('n1', 9, 2)
      },
      right: (bench) => {
        bench.commit(1, [1, 2])
        bench.restores.asked('n1')
        bench.committed.checkSnapshot('n1', 9, 2)
        // It is sent to the others.
        bench.committed.checkSnapshot('n2', 9, 2)
      },
    },
    {
      name: 'a commit after a restore that it does not follow',
      wrong: (bench) => {
        restored(bench)
        bench.append(['n1', 'n2'], commands(10, [4]))
        bench.committed.commit('n1', 10, 4, BY_VOTERS)
        bench.append(['n3'], commands(3, [3, 3, 3, 3, 3, 3, 3, 3, 5]))
        bench.append(['n2'], commands(11, [5]))
        bench.committed.commit('n3', 11, 5, BY_VOTERS)
      },
      right: (bench) => {
        restored(bench)
        bench.append(['n1', 'n2'], commands(10, [4]))
        bench.committed.commit('n1', 10, 4, BY_VOTERS)
        bench.append(['n1', 'n2'], commands(11, [5]))
        bench.committed.commit('n1', 11, 5, BY_VOTERS)
      },
    },
    {
      name: 'a disk that takes for committed what is not',
      wrong: ({ committed }) => committed.checkKept('n1', 2, 2),
      right: (bench) => {
        bench.commit(1, [1, 2])
        bench.committed.checkKept('n1', 2, 2)
      },
    },
    {
      name: 'a leader that commits another past',
      wrong: (bench) => {
        bench.append(['n1', 'n2'], commands(1, [1, 1]))
        bench.committed.commit('n1', 2, 1, BY_VOTERS)
        bench.append(['n3'], commands(1, [1, 2, 2]))
        bench.image('n2').truncateSuffix(2)
        bench.append(['n2'], commands(2, [2, 2]))
        bench.committed.commit('n3', 3, 2, BY_VOTERS)
      },
    },
  ],
  'durable quorum': [
    {
      name: 'an entry on a minority of the disks',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, BY_VOTERS)
      },
      right: (bench) => {
        bench.append(['n1', 'n2'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, BY_VOTERS)
      },
    },
    {
      name: 'learners do not count',
      wrong: (bench) => {
        bench.append(['n1', 'n2'], commands(1, [1]))
        const [one, two, three] = VOTERS
        const learner = { ...two!, suffrage: 'nonvoter' } as const
        bench.committed.commit('n1', 1, 1, [{ servers: [one!, learner, three!] }])
      },
    },
    {
      name: 'an entry on a majority of all members, and of one half of them only',
      wrong: (bench) => {
        bench.append(['n2', 'n3'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [JOINT])
      },
      right: (bench) => {
        bench.append(['n1', 'n2', 'n3'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [JOINT])
      },
    },
    {
      name: 'an entry on a quorum of neither the configuration before the turn nor the one after it',
      wrong: (bench) => {
        bench.append(['n2'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [...BY_VOTERS, JOINT])
      },
      right: (bench) => {
        bench.append(['n2', 'n3'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [...BY_VOTERS, JOINT])
      },
    },
    {
      name: 'a change in the same turn does not excuse it',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [FIRST, { servers: VOTERS.slice(0, 2) }])
      },
      right: (bench) => {
        bench.append(['n1'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [FIRST, { servers: VOTERS.slice(0, 1) }])
      },
    },
    {
      name: 'an entry on no disk',
      wrong: ({ committed }) => committed.commit('n1', 1, 1, BY_VOTERS),
    },
    {
      name: 'a follower that commits what no leader has',
      wrong: (bench) => watch(bench, { commitIndex: 1 }),
    },
  ],
  'nothing goes back': [
    {
      name: 'a saved term',
      wrong: (bench) => {
        bench.image('n1').hardState = { term: 3 }
        bench.elections.saved('n1', bench.image('n1'), { term: 2 })
      },
      right: (bench) => {
        bench.image('n1').hardState = { term: 3 }
        bench.elections.saved('n1', bench.image('n1'), { term: 3 })
      },
    },
    {
      name: 'a saved vote',
      wrong: (bench) => {
        bench.image('n1').hardState = { term: 3, votedFor: { id: 'n2', address: 'n2' } }
        bench.elections.saved('n1', bench.image('n1'), { term: 3 })
      },
      right: (bench) => {
        bench.image('n1').hardState = { term: 3, votedFor: { id: 'n2', address: 'n2' } }
        bench.elections.saved('n1', bench.image('n1'), { term: 4 })
      },
    },
    {
      name: 'the term of a server that starts',
      wrong: (bench) => {
        bench.image('n1').hardState = { term: 3 }
        bench.elections.starts('n1', bench.image('n1'), 2)
      },
    },
    {
      name: 'the term of a running server',
      wrong: (bench) => watch(bench, { currentTerm: 3 }, { currentTerm: 2 }),
    },
    {
      name: 'the commit index',
      wrong: (bench) => {
        bench.commit(1, [1, 1])
        watch(bench, { commitIndex: 2 }, { commitIndex: 1 })
      },
    },
    {
      name: 'the applied index',
      wrong: (bench) => {
        bench.commit(1, [1, 1])
        watch(bench, { commitIndex: 2, appliedIndex: 2 }, { appliedIndex: 1 })
      },
    },
  ],
  'one vote per term': [
    {
      name: 'two votes, with a crash between them',
      wrong: (bench) => {
        const [n2, n3] = [
          { id: 'n2', address: 'n2' },
          { id: 'n3', address: 'n3' },
        ]
        bench.elections.saved('n1', bench.image('n1'), { term: 3, votedFor: n2 })
        bench.elections.saved('n1', bench.image('n1'), { term: 3, votedFor: n3 })
      },
      right: (bench) => {
        const n2 = { id: 'n2', address: 'n2' }
        bench.elections.saved('n1', bench.image('n1'), { term: 3, votedFor: n2 })
        bench.elections.saved('n1', bench.image('n1'), { term: 4, votedFor: n2 })
      },
    },
  ],
  'persist, then promise': [
    {
      name: 'a request for votes before the own vote is durable',
      wrong: (bench) => {
        bench.image('n1').hardState = { term: 3 }
        bench.elections.asks('n1', bench.image('n1'), voteRequest)
      },
      right: (bench) => {
        const votedFor = { id: 'n1', address: 'n1' }
        bench.elections.saved('n1', bench.image('n1'), { term: 3, votedFor })
        bench.image('n1').hardState = { term: 3, votedFor }
        bench.elections.asks('n1', bench.image('n1'), voteRequest)
      },
    },
    {
      name: 'a vote that is not durable',
      wrong: (bench) => {
        bench.image('n2').hardState = { term: 3 }
        const answer = { type: 'request-vote', header: headerOf('n2'), term: 3 } as const
        bench.elections.answers('n2', bench.image('n2'), voteRequest, { ...answer, granted: true })
      },
    },
    {
      name: 'a term that is not durable',
      wrong: (bench) => {
        bench.image('n2').hardState = { term: 2 }
        bench.elections.answers('n2', bench.image('n2'), append(null), accepted)
      },
    },
    {
      name: 'entries that are not durable',
      wrong: (bench) =>
        checkAcknowledgement(
          bench.violate,
          'n2',
          bench.image('n2'),
          append(commands(1, [3])),
          accepted,
          gone(undefined),
        ),
      right: (bench) => {
        bench.append(['n2'], commands(1, [3]))
        const request = append(commands(1, [3]))
        checkAcknowledgement(
          bench.violate,
          'n2',
          bench.image('n2'),
          request,
          accepted,
          gone(undefined),
        )
      },
    },
    {
      name: 'entries that a snapshot replaced by others',
      wrong: (bench) => {
        bench.image('n2').keep({ meta: snapshotMeta(4, 5), state: new Uint8Array(0) })
        const request = append(commands(1, [3]))
        checkAcknowledgement(bench.violate, 'n2', bench.image('n2'), request, accepted, gone(5))
      },
      right: (bench) => {
        bench.image('n2').keep({ meta: snapshotMeta(4, 3), state: new Uint8Array(0) })
        const request = append(commands(1, [3]))
        checkAcknowledgement(bench.violate, 'n2', bench.image('n2'), request, accepted, gone(3))
      },
    },
    {
      name: 'entries behind a restore',
      wrong: (bench) => {
        restored(bench)
        acknowledge(bench, commands(9, [3]))
      },
      right: (bench) => {
        restored(bench)
        acknowledge(bench, commands(9, [4]))
        acknowledge(bench, commands(8, [3]))
      },
    },
    {
      name: 'entries behind a restore that a later snapshot rests on',
      wrong: (bench) => {
        restoredAndGoneOn(bench, 5)
        acknowledge(bench, commands(8, [3]))
      },
      right: (bench) => {
        restoredAndGoneOn(bench, 4)
        acknowledge(bench, commands(8, [3]))
      },
    },
    {
      name: 'a snapshot that is not durable',
      wrong: (bench) =>
        checkAcknowledgement(
          bench.violate,
          'n2',
          bench.image('n2'),
          {
            type: 'install-snapshot',
            header: headerOf('n1'),
            snapshotVersion: 1,
            term: 3,
            lastLogIndex: 4,
            lastLogTerm: 3,
            peers: new Uint8Array(0),
            configuration: new Uint8Array(0),
            configurationIndex: 1,
            size: 0,
          },
          { type: 'install-snapshot', header: headerOf('n2'), term: 3, success: true },
          gone(undefined),
        ),
    },
  ],
  'acknowledged stays': [
    {
      name: 'a command that is not committed',
      wrong: (bench) => bench.acknowledged.acknowledged('n1', 1, 1),
      right: (bench) => {
        bench.commit(1, [1])
        bench.acknowledged.acknowledged('n1', 1, 1)
      },
    },
    {
      name: 'a command that a majority of the disks lost since',
      wrong: (bench) => {
        bench.commit(1, [1])
        for (const id of ['n2', 'n3']) bench.image(id).truncateSuffix(1)
        bench.acknowledged.acknowledged('n1', 1, 1)
      },
    },
    {
      name: 'a command that was committed by another configuration',
      wrong: (bench) => {
        bench.commit(1, [1])
        bench.image('n1').truncateSuffix(1)
        bench.image('n2').truncateSuffix(1)
        bench.acknowledged.acknowledged('n1', 1, 1)
      },
      right: (bench) => {
        // One voter was enough then, whoever belongs to the cluster now.
        bench.append(['n1'], commands(1, [1]))
        bench.committed.commit('n1', 1, 1, [{ servers: VOTERS.slice(0, 1) }])
        bench.acknowledged.acknowledged('n1', 1, 1)
      },
    },
    {
      name: 'a disk that ends too early',
      wrong: (bench) => {
        bench.commit(1, [1, 1])
        bench.image('n2').truncateSuffix(2)
        bench.committed.checkDisk('n2', bench.image('n2'))
      },
      right: (bench) => {
        bench.commit(1, [1, 1])
        bench.image('n2').truncatePrefix(2)
        bench.image('n2').keep({ meta: snapshotMeta(2, 1), state: new Uint8Array(0) })
        bench.committed.checkDisk('n2', bench.image('n2'))
      },
    },
    {
      name: 'a disk with something else',
      wrong: (bench) => {
        bench.commit(1, [1, 1])
        bench.image('n2').truncateSuffix(1)
        bench.image('n2').append(commands(1, [1, 9]))
        bench.committed.checkDisk('n2', bench.image('n2'))
      },
    },
  ],
  'reads see what was acknowledged': [
    {
      name: 'a read as of an earlier moment',
      wrong: ({ acknowledged }) => acknowledged.read('n1', 5, 4),
      right: ({ acknowledged }) => acknowledged.read('n1', 5, 5),
    },
    {
      name: 'a leader that was replaced before it was asked',
      wrong: ({ acknowledged }) => acknowledged.verified('n1', 5, 4),
      right: ({ acknowledged }) => acknowledged.verified('n1', 5, 5),
    },
  ],
  'bounded reads are new enough': [
    {
      name: 'a bounded read that misses what was acknowledged before its bound',
      wrong: (bench) => bounded(bench, 29),
      right: (bench) => bounded(bench, 31),
    },
    {
      name: 'a bounded read on a clock that runs at half the speed, and one on a clock that jumped meanwhile',
      wrong: (bench) => boundedOn(bench, { rate: 0.5, jumpMs: 0, agoMs: 10 }),
      right: (bench) => boundedOn(bench, { rate: 0.5, jumpMs: 30, agoMs: 45 }),
    },
  ],
  'reads see one committed state': [
    {
      name: 'a read of an entry that is not committed',
      wrong: (bench) => seen(bench, { index: 2, chain: 0, isRestoring: false }, 2),
      right: (bench) => seen(bench, { index: 0, chain: 0, isRestoring: false }, 1),
    },
    {
      name: 'a read after a later one of the same run',
      wrong: (bench) => seen(bench, { index: 0, chain: 0, isRestoring: false }, 1, 0),
      right: (bench) => seen(bench, { index: 0, chain: 0, isRestoring: false }, 0, 1, 1),
    },
    {
      name: 'a read of a state that came about in another way',
      wrong: (bench) => seen(bench, { index: 1, chain: 7, isRestoring: false }, 1),
      right: (bench) =>
        seen(
          bench,
          { index: 1, chain: bench.applied.apply('n2', 1, 1, 5, 0), isRestoring: false },
          1,
        ),
    },
    {
      name: 'a read in the middle of a restore',
      wrong: (bench) => seen(bench, { index: 0, chain: 0, isRestoring: true }, 0),
    },
  ],
  'removed servers refuse reads': [
    {
      name: 'a read that is served by a server that was removed',
      wrong: async ({ violate }) => removedRead(violate, Promise.resolve(1)),
      right: async ({ violate }) =>
        removedRead(violate, Promise.reject(new RaftError('RAFT_REMOVED', 'removed'))),
    },
    {
      name: 'a read that is refused with another error',
      wrong: async ({ violate }) =>
        removedRead(violate, Promise.reject(new RaftError('RAFT_NO_LEADER', 'no leader'))),
      right: async ({ violate }) =>
        removedRead(violate, Promise.reject(new RaftError('RAFT_SHUTDOWN', 'shut down'))),
    },
  ],
  'readers share questions': [
    {
      name: 'a question for each reader',
      wrong: (bench) => questions(bench, 1, 1, 1, 1, 1),
      right: (bench) => questions(bench, 1, 1, 1, 2, 2, 2),
    },
  ],
  'configurations overlap': [
    {
      name: 'two majorities that need not meet',
      wrong: (bench) => changed(bench, ['n1', 'n2', 'n3'], ['n3', 'n4', 'n5']),
      right: (bench) => changed(bench, ['n1', 'n2', 'n3'], ['n1', 'n2', 'n3', 'n4']),
    },
    {
      name: 'two voters more at once',
      wrong: (bench) => changed(bench, ['n1', 'n2', 'n3'], ['n1', 'n2', 'n3', 'n4', 'n5']),
      right: (bench) => changed(bench, ['n1', 'n2', 'n3'], ['n1', 'n2']),
    },
    {
      name: 'a joint configuration that has no half of the one before it',
      wrong: (bench) => {
        bench.append(['n1', 'n2', 'n3'], configuration(1, 1, 'n1', 'n2', 'n3'))
        bench.commit(2, [2])
        bench.append(['n1'], changeTo(3, 2, jointOf(['n3', 'n4', 'n5'], ['n4', 'n5', 'n6'])))
      },
      right: (bench) => {
        bench.append(['n1', 'n2', 'n3'], configuration(1, 1, 'n1', 'n2', 'n3'))
        bench.commit(2, [2])
        const halves = jointOf(['n1', 'n2', 'n3'], ['n4', 'n5', 'n6'])
        bench.append(['n1', 'n2', 'n3'], changeTo(3, 2, halves))
        bench.committed.commit('n1', 3, 2, BY_VOTERS)
        bench.append(['n1', 'n2', 'n3'], configuration(4, 2, 'n4', 'n5', 'n6'))
      },
    },
    {
      name: 'a change before the last one is committed',
      wrong: (bench) => {
        changed(bench, ['n1', 'n2', 'n3'], ['n1', 'n2', 'n3', 'n4'])
        bench.append(['n1'], configuration(4, 2, 'n1', 'n2', 'n3'))
      },
      right: (bench) => {
        changed(bench, ['n1', 'n2', 'n3'], ['n1', 'n2', 'n3', 'n4'])
        bench.committed.commit('n1', 3, 2, BY_VOTERS)
        bench.append(['n1'], configuration(4, 2, 'n1', 'n2', 'n3'))
      },
    },
    {
      name: 'a change by a leader that was stalled, and learns late that its entry is committed',
      wrong: (bench) => {
        late(bench)
        bench.append(['n1'], configuration(3, 2, 'n1', 'n2', 'n3', 'n4'))
      },
      right: (bench) => {
        late(bench)
        bench.committed.commit('n1', 2, 2, BY_VOTERS)
        bench.append(['n1'], configuration(3, 2, 'n1', 'n2', 'n3', 'n4'))
      },
    },
    {
      name: 'a change before an entry of the term is committed',
      wrong: (bench) => {
        bench.append(['n1', 'n2', 'n3'], configuration(1, 1, 'n1', 'n2', 'n3'))
        bench.append(['n1', 'n2'], commands(2, [2]))
        bench.committed.commit('n1', 2, 2, BY_VOTERS)
        bench.append(['n1'], configuration(3, 3, 'n1', 'n2', 'n3', 'n4'))
      },
    },
  ],
  'removed servers keep quiet': [
    {
      name: 'a server that knows that it was removed, and campaigns',
      wrong: ({ violate }) =>
        checkQuietness(violate, 'n4', { configuration: FIRST, index: 5, committedIndex: 5 }),
      right: ({ violate }) => {
        // Its removal is not committed: it may be needed to get it committed.
        checkQuietness(violate, 'n4', { configuration: FIRST, index: 5, committedIndex: 1 })
        checkQuietness(violate, 'n1', { configuration: FIRST, index: 5, committedIndex: 5 })
      },
    },
  ],
  'damage is found': [
    {
      name: 'a server that starts with a damaged entry',
      wrong: (bench) => {
        bench.append(['n1'], commands(1, [1, 1]))
        bench.image('n1').damageEntry(2)
        checkStart(bench.violate, 'n1', bench.image('n1'))
      },
      right: (bench) => {
        bench.append(['n1'], commands(1, [1, 1]))
        bench.image('n1').damageEntry(2)
        bench.image('n1').truncateSuffix(2)
        checkStart(bench.violate, 'n1', bench.image('n1'))
      },
    },
    {
      name: 'a server that starts with a damaged vote',
      wrong: (bench) => {
        bench.image('n1').hardState = { term: 1 }
        bench.image('n1').isStableDamaged = true
        checkStart(bench.violate, 'n1', bench.image('n1'))
      },
    },
  ],
  'store contract': [
    {
      name: 'two changes at once',
      wrong: ({ violate }) => {
        const disk = new SimulatedDisk(new VirtualTime(), new Stream(1, 'disk'), {
          onCall: () => {},
          onDurable: () => {},
          onFailure: () => {},
          onCut: () => {},
          onMisuse: (message) => violate('store contract', message),
        })
        const process = new Process()
        for (const what of ['one', 'two']) void disk.write(process, 'log', what, () => {})
      },
    },
  ],
  'honest outcomes': [
    {
      name: 'a refused command that is applied',
      wrong: ({ ledger }) => {
        ledger.called('c1', 'put', Uint8Array.of(1)).failed()
        ledger.applied('n1', { index: 1, term: 1, data: Uint8Array.of(1) })
      },
      right: ({ ledger }) => {
        ledger.called('c1', 'put', Uint8Array.of(1)).unknown()
        ledger.applied('n1', { index: 1, term: 1, data: Uint8Array.of(1) })
      },
    },
    {
      name: 'an applied command that is refused',
      wrong: ({ ledger }) => {
        const entry = ledger.called('c1', 'put', Uint8Array.of(1))
        ledger.applied('n1', { index: 1, term: 1, data: Uint8Array.of(1) })
        entry.failed()
      },
    },
  ],
  'applied once': [
    {
      name: 'a command that is applied at two places',
      wrong: ({ ledger }) => {
        ledger.called('c1', 'put', Uint8Array.of(1))
        ledger.applied('n1', { index: 1, term: 1, data: Uint8Array.of(1) })
        ledger.applied('n2', { index: 2, term: 1, data: Uint8Array.of(1) })
      },
      right: ({ ledger }) => {
        ledger.called('c1', 'put', Uint8Array.of(1))
        ledger.applied('n1', { index: 1, term: 1, data: Uint8Array.of(1) })
        ledger.applied('n2', { index: 1, term: 1, data: Uint8Array.of(1) })
      },
    },
    {
      name: 'a command that was called twice and is applied three times',
      wrong: ({ ledger }) => {
        for (const client of ['c1', 'c2']) ledger.called(client, 'add', Uint8Array.of(1))
        for (const index of [1, 2, 3])
          ledger.applied('n1', { index, term: 1, data: Uint8Array.of(1) })
      },
      right: ({ ledger }) => {
        for (const client of ['c1', 'c2']) ledger.called(client, 'add', Uint8Array.of(1))
        for (const index of [1, 2]) ledger.applied('n1', { index, term: 1, data: Uint8Array.of(1) })
      },
    },
  ],
  linearizability: [
    {
      name: 'reads that always see the beginning',
      wrong: (bench) =>
        run(
          bench,
          () => new KvMachine(),
          () => {
            const honest = kvWorkload()
            return {
              ...honest,
              next: (random) => {
                const call = honest.next(random)
                return 'read' in call ? { ...call, read: () => 0 } : call
              },
            }
          },
        ),
      right: (bench) => run(bench, () => new KvMachine()),
    },
  ],
  'every promise settles': [
    {
      name: 'a call to a server',
      wrong: ({ violate }) => {
        const calls = new OpenCalls()
        const never = new Promise<void>(() => {})
        calls.watch('a barrier of n1', never, never)
        calls.check(violate)
      },
      right: async ({ violate }) => {
        const calls = new OpenCalls()
        const never = new Promise<void>(() => {})
        calls.watch('a barrier of n1', Promise.resolve(), never)
        calls.watch('a barrier of n2', Promise.reject(new Error('no')), never)
        calls.watch('a barrier of n3', never, Promise.resolve())
        await Promise.resolve()
        calls.check(violate)
      },
    },
    {
      name: 'a call of a client',
      wrong: (bench) =>
        run(
          bench,
          () => new KvMachine(),
          () => {
            const honest = kvWorkload()
            const never = new Promise<never>(() => {})
            return {
              ...honest,
              next: (random) => {
                const call = honest.next(random)
                return 'read' in call ? { ...call, read: () => never as never } : call
              },
            }
          },
        ),
    },
  ],
  'nothing left over': [
    {
      name: 'a queue that is not empty',
      wrong: ({ violate }) => {
        const found = leftovers([{ id: 'n1', raft: { stats: () => atRest({ pendingReads: 1 }) } }])
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
      right: ({ violate }) => {
        const found = leftovers([{ id: 'n1', raft: { stats: () => atRest({}) } }])
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
    },
    {
      name: 'bytes under way to a peer',
      wrong: ({ violate }) => {
        const peers = [{ id: 'n1', inflightBytes: 3 }]
        const found = leftovers([{ id: 'n1', raft: { stats: () => atRest({ peers }) } }])
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
    },
    {
      name: 'a connection',
      wrong: ({ violate }) => {
        const found = openEnds({ openStreams: 1, addresses: [] })
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
      right: ({ violate }) => {
        const found = openEnds({ openStreams: 0, addresses: ['vault'] })
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
    },
    {
      name: 'an address',
      wrong: ({ violate }) => {
        const found = openEnds({ openStreams: 0, addresses: ['n1'] })
        if (found.length > 0) violate('nothing left over', found.join('\n'))
      },
    },
    {
      name: 'a timer',
      wrong: ({ violate }) => checkTimers(violate, 'n1', { timers: 1 }),
      right: ({ violate }) => checkTimers(violate, 'n1', { timers: 0 }),
    },
  ],
  liveness: [
    {
      name: 'a machine that never goes on',
      wrong: (bench) =>
        run(
          bench,
          spoiled(5, () => new Promise(() => {})),
        ),
    },
  ],
  'steady leadership': [
    {
      name: 'another leader',
      wrong: ({ violate }) =>
        checkSteadiness(violate, { id: 'n1', term: 3 }, { id: 'n2', term: 4 }),
      right: ({ violate }) =>
        checkSteadiness(violate, { id: 'n1', term: 3 }, { id: 'n1', term: 3 }),
    },
    {
      name: 'the same leader, elected again',
      wrong: ({ violate }) =>
        checkSteadiness(violate, { id: 'n1', term: 3 }, { id: 'n1', term: 4 }),
    },
    {
      name: 'no leader any more',
      wrong: ({ violate }) => checkSteadiness(violate, { id: 'n1', term: 3 }, undefined),
      right: ({ violate }) => checkSteadiness(violate, undefined, undefined),
    },
  ],
  'no server breaks': [
    {
      name: 'a machine that throws',
      wrong: (bench) =>
        run(
          bench,
          spoiled(5, () => {
            throw new Error('broken')
          }),
        ),
    },
  ],
  determinism: [
    {
      name: 'two answers to one command',
      wrong: ({ applied }) => {
        applied.apply('n1', 1, 1, 7, 0)
        applied.answered('n1', 1, 'yes')
        applied.answered('n2', 1, 'no')
      },
      right: ({ applied }) => {
        applied.apply('n1', 1, 1, 7, 0)
        applied.answered('n1', 1, 'yes')
        applied.answered('n2', 1, 'yes')
      },
    },
  ],
  'snapshot round trip': [
    {
      name: 'a snapshot that does not restore what it was taken of',
      wrong: (bench) => snapshotOf(checkedMachine(bench, true)),
      right: (bench) => snapshotOf(checkedMachine(bench, false)),
    },
  ],
  'own check': [
    {
      name: 'a state that its user calls wrong',
      wrong: (bench) => snapshotOf(checkedMachine(bench, true)),
      right: (bench) => snapshotOf(checkedMachine(bench, false)),
    },
  ],
}

/** The entry of a leader of term 2 is committed by that of term 3, with one of its own. */
function late(bench: Bench): void {
  bench.append(['n1', 'n2', 'n3'], configuration(1, 1, 'n1', 'n2', 'n3'))
  bench.append(['n1', 'n2', 'n3'], commands(2, [2]))
  bench.append(['n2', 'n3'], commands(3, [3]))
  bench.committed.commit('n2', 3, 3, BY_VOTERS)
}

/** A configuration, an entry of the next term that is committed, another configuration. */
function changed(bench: Bench, from: readonly string[], to: readonly string[]): void {
  bench.append(['n1', 'n2', 'n3'], configuration(1, 1, ...from))
  bench.append(['n1', 'n2', 'n3'], commands(2, [2]))
  bench.committed.commit('n1', 2, 2, BY_VOTERS)
  bench.append(['n1', 'n2', 'n3'], configuration(3, 2, ...to))
}

function atRest(
  change: object,
): ReturnType<NonNullable<Parameters<typeof leftovers>[0][number]['raft']>['stats']> {
  const queues = {
    pendingProposals: 0,
    pendingProposalBytes: 0,
    pendingReads: 0,
    pendingWrites: 0,
    heldMessages: 0,
  }
  return { ...queues, peers: [], ...change }
}

const named = Object.entries(CASES).flatMap(([check, cases]) =>
  cases.map((one) => [check, one.name, one] as const),
)

describe('the check', () => {
  it.each(named)('%s fires: %s', async (check, _, { wrong }) => {
    const bench = new Bench()
    await wrong(bench)
    expect(bench.found.map((violation) => violation.check)).toContain(check)
  })

  it.each(named.filter(([, , { right }]) => right !== undefined))(
    '%s does not fire for what only looks like: %s',
    async (_, __, { right }) => {
      const bench = new Bench()
      await right!(bench)
      expect(bench.found).toEqual([])
    },
  )
})
