// Client sessions: commands that come twice are applied once (dissertation §6.3).
import { type Mutant, tested } from '../mutant.ts'

const sessions = (file: string): string => `packages/raft-node/src/sessions/${file}.ts`
const hunters = [
  tested('raft-node', 'test/sessions/session-machine.test.ts'),
  tested('raft-node', 'test/sessions/session-snapshot.test.ts'),
]

export const clientSessions: readonly Mutant[] = [
  {
    name: 'command-of-a-session-applied-twice',
    broken: 'a command that comes a second time is applied a second time',
    source: 'dissertation §6.3',
    edits: [
      {
        file: sessions('session-table'),
        find: `    if (session.wasApplied(sequence)) return { type: 'duplicate', session, sequence, floor }\n`,
        replace: '',
      },
    ],
    hunters,
  },
  {
    name: 'session-floor-stays',
    broken: 'what the client has its answers to is remembered for ever, and may be applied late',
    source: 'dissertation §6.3: the client says up to where it has its answers',
    edits: [
      {
        file: sessions('session-table'),
        find: '    session.raiseFloor(answeredBelow)\n',
        replace: '',
      },
    ],
    hunters,
  },
  {
    name: 'session-clock-goes-back',
    broken:
      'session time follows a new leader whose clock is behind, so servers disagree on what expired',
    source: 'dissertation §6.3: expiry by consensus',
    edits: [
      {
        file: sessions('session-table'),
        find: 'if (time <= this.#clock) return',
        replace: 'if (time === 0) return',
      },
    ],
    hunters,
  },
  {
    name: 'sessions-not-in-the-snapshot',
    broken: 'a server that starts from a snapshot has forgotten which commands were applied',
    source: 'dissertation §6.3',
    edits: [
      {
        file: sessions('session-machine'),
        find: 'if (capture.sessions.length > 0) await',
        replace: 'if (capture.sessions.length < 0) await',
      },
    ],
    hunters,
  },
  {
    name: 'session-expires-by-the-own-clock',
    broken: 'each server ends sessions by its own clock instead of that of the entries',
    source: 'dissertation §6.3: expiry by consensus',
    edits: [
      {
        file: sessions('session-table'),
        find: 'const time = timeOf(appendedAt)\n',
        replace: 'const time = timeOf(appendedAt === undefined ? undefined : Date.now())\n',
      },
    ],
    hunters,
  },
  {
    name: 'responses-of-a-session-dropped',
    broken: 'a repeated command is known, and its response is not',
    source: 'dissertation §6.3',
    edits: [
      {
        file: sessions('session-table'),
        find: '        session.keep(sequence, sealed)\n',
        replace: '',
      },
    ],
    hunters,
  },
]
