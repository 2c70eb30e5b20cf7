// Client sessions and leader election, hunted where whole nodes run under all faults.
import { type Mutant, targeted, tested } from '../mutant.ts'

const node = (file: string): string => `packages/raft-node/src/${file}.ts`

const SESSIONS: readonly Mutant[] = [
  {
    name: 'retry-applied-again-by-nodes',
    broken: 'a command of a session that comes twice is applied twice',
    source: 'dissertation §6.3',
    edits: [
      {
        file: node('sessions/session-table'),
        find: `    if (session.wasApplied(sequence)) return { type: 'duplicate', session, sequence, floor }\n`,
        replace: '',
      },
    ],
    hunters: [targeted('sessions', 50)],
  },
  {
    name: 'window-off-by-one',
    broken: 'the last command that a client has its answer to is applied again when it comes late',
    source: 'session: below the floor nothing is applied any more',
    edits: [
      {
        file: node('sessions/session-table'),
        find: 'if (sequence < session.floor) return',
        replace: 'if (sequence < session.floor - 1) return',
      },
    ],
    hunters: [targeted('sessions', 300)],
  },
  {
    name: 'table-forgotten-by-a-restore',
    broken: 'a server that is given a snapshot keeps the sessions that it had',
    source: 'dissertation §6.3',
    edits: [
      {
        file: node('sessions/session-machine'),
        find: '      this.#table = table\n',
        replace: '      void table\n',
      },
    ],
    hunters: [targeted('sessions', 100)],
  },
  {
    name: 'kept-answers-depend-on-batches',
    broken: 'which answers a server keeps depends on how its log was cut into batches',
    source: 'session: released in log order',
    edits: [
      {
        file: node('sessions/session-table'),
        find: `      case 'duplicate': {
        const { session, sequence, floor } = step
        session.releaseBelow(floor)`,
        replace: `      case 'duplicate': {
        const { session, sequence } = step
        session.releaseBelow(session.floor)`,
      },
      {
        file: node('sessions/session-table'),
        find: '        session.releaseBelow(floor)\n        session.keep(',
        replace:
          '        session.releaseBelow(Math.max(floor, session.floor))\n        session.keep(',
      },
    ],
    hunters: [targeted('sessions', 300)],
  },
  {
    name: 'expired-command-sent-anew',
    broken: 'a command that may have been applied is sent under a new session',
    source: 'dissertation §6.3: the client learns that its session is gone',
    edits: [
      {
        file: node('sessions/session-client'),
        find: '        if (delivery.isUncertain) throw error\n',
        replace: '',
      },
    ],
    hunters: [targeted('sessions', 200)],
  },
  {
    name: 'uncertain-attempt-forgotten',
    broken: 'what an attempt left open is forgotten when a later one says that it had no effect',
    source: 'router: the outcome of all attempts',
    edits: [
      {
        file: node('forwarding/router'),
        find: '          delivery.isUncertain = true\n',
        replace: '          void delivery\n',
      },
    ],
    hunters: [targeted('sessions', 200)],
  },
  {
    name: 'committed-taken-for-applied',
    broken:
      'a command is said to have taken effect because its entry is committed, whatever its session says',
    source: 'this catalogue: found by the world of sessions',
    edits: [
      {
        file: node('forwarding/leader-service'),
        find: "RaftError.is(error) && error.outcome === 'committed'",
        replace: "RaftError.is(error) && error.outcome === 'not-committed'",
      },
    ],
    // The worlds of sessions need some 450 seeds: a test is quicker.
    hunters: [tested('raft-node', 'test/forwarding/leader-service.test.ts')],
  },
  {
    name: 'turn-not-passed-on',
    broken:
      'a command waits for the window of its session although it is free, because the one before it gave up',
    source: 'this catalogue: found by the world of sessions',
    edits: [
      {
        file: node('sessions/session-client'),
        find: '      session.wakeWaiting()\n',
        replace: '',
      },
    ],
    hunters: [tested('raft-node', 'test/sessions/session-client.test.ts')],
  },
  {
    name: 'calls-outlive-their-node',
    broken: 'calls that wait for a leader go on waiting when their node has stopped',
    source: 'this catalogue: found by the world of sessions',
    edits: [
      {
        file: node('forwarding/router'),
        find: '    for (const wake of this.#closing) wake()\n',
        replace: '',
      },
    ],
    hunters: [targeted('sessions', 100)],
  },
]

const ELECTION: readonly Mutant[] = [
  {
    name: 'lease-counted-from-the-answer',
    broken:
      'a lease begins when a quorum has answered, and lasts longer than what the voters keep to',
    source: 'dissertation §6.4.1: from when the round was begun',
    edits: [
      {
        file: node('election/lease-watch'),
        find: 'held.extend(asked + this.#leaseMs)',
        replace: 'held.extend(this.#clock.now() + this.#leaseMs)',
      },
    ],
    // Only a leader alone behind slow links could show it: a thousand seeds of elections do not.
    hunters: [tested('raft-node', 'test/election/lease-watch.test.ts')],
  },
  {
    name: 'lease-without-a-quorum',
    broken: 'a leader goes on because it heard of nothing else, without asking anybody',
    source: 'dissertation §6.4.1',
    edits: [
      {
        file: node('election/lease-watch'),
        find: '        await this.#raft.verifyLeader({ timeoutMs: held.remainingMs })\n',
        replace: '',
      },
    ],
    hunters: [targeted('election', 600)],
  },
  {
    name: 'token-from-the-term-only',
    broken: 'a leader that was interrupted begins again with the token that it had',
    source: 'leader-election: higher than all that were given before',
    edits: [
      {
        file: node('election/lease-watch'),
        find: 'const { index: fencingToken } = await this.#raft.barrier()',
        replace: 'const fencingToken = await this.#raft.barrier().then(() => term)',
      },
    ],
    hunters: [targeted('election', 100)],
  },
  {
    name: 'lease-looks-at-no-clock',
    broken: 'a lease ends with a timer, which a stall of the event loop holds up',
    source: 'held-leadership: the signal looks at the clock',
    edits: [
      {
        file: node('election/held-leadership'),
        find: 'get: (): boolean => !this.isHeld',
        replace: 'get: (): boolean => this.#isOver',
      },
      {
        file: node('election/held-leadership'),
        find: 'if (!this.isHeld) throw signal.reason',
        replace: 'if (this.#isOver) throw signal.reason',
      },
    ],
    hunters: [targeted('election', 100)],
  },
  {
    name: 'lease-never-runs-out',
    broken: 'a leader believes in its lease until it hears of another leader',
    source: 'dissertation §6.4.1',
    edits: [
      {
        file: node('election/held-leadership'),
        find: 'if (!this.#isOver && this.#clock.now() >= this.#until)',
        replace: 'if (!this.#isOver && this.#until === -Infinity)',
      },
    ],
    hunters: [targeted('election', 200)],
  },
  {
    name: 'leadership-callbacks-overlap',
    broken: 'a callback is called anew while its work of an earlier leadership goes on',
    source: 'leadership-callbacks: the calls of one callback never overlap',
    edits: [
      {
        file: node('leadership/leadership-callbacks'),
        find: '    await before\n',
        replace: '    void before\n',
      },
    ],
    hunters: [targeted('election', 200)],
  },
]

export const nodeWorlds: readonly Mutant[] = [...SESSIONS, ...ELECTION]
