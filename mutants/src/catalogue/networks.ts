// Bytes on their way between servers, and what callers are told when they do not arrive.
import { type Mutant, tested } from '../mutant.ts'

const wire = (file: string): string => `packages/wire/src/${file}.ts`
const network = (file: string): string => `packages/transport-network/src/${file}.ts`
const node = (file: string): string => `packages/raft-node/src/${file}.ts`

export const networks: readonly Mutant[] = [
  {
    name: 'gap-between-received-entries',
    broken: 'entries that do not follow each other pass for consecutive ones',
    source: 'faults: F12; peers: regression 13',
    edits: [
      {
        file: wire('entries/entry-scan'),
        find: '} else if (index !== this.#firstIndex + this.count) {',
        replace: '} else if (index < 0) {',
      },
    ],
    hunters: [tested('wire', 'test/entries/entry-scan.test.ts')],
  },
  {
    name: 'message-length-unchecked',
    broken: 'a message may be as long as its sender likes',
    source: 'hashicorp/raft #699, #700, #703',
    edits: [
      {
        file: wire('reading/value-stream'),
        find: 'this.#scanner.start(this.limits[limit], limit)',
        replace: 'this.#scanner.start(Number.MAX_SAFE_INTEGER, limit)',
      },
    ],
    hunters: [tested('wire', 'test/messages/request-decoder.test.ts')],
  },
  {
    name: 'snapshot-size-unchecked',
    broken: 'a snapshot may be as long as its sender says',
    source: 'faults: security of a Raft transport',
    edits: [
      {
        file: wire('messages/request-decoder'),
        find: 'if (request.size > limit)',
        replace: 'if (request.size < 0)',
      },
    ],
    hunters: [tested('wire', 'test/messages/request-decoder.test.ts')],
  },
  {
    name: 'answers-overtake-each-other',
    broken: 'an answer leaves when it is ready, not in the order of the requests',
    source: 'hashicorp/raft: pipelining; peers: network transports',
    edits: [
      {
        file: network('inbound/answer-queue'),
        find: 'for (let first = this.#pending[0]; first?.answer !== undefined; first = this.#pending[0]) {\n      this.#pending.shift()',
        replace:
          'for (const first of [pending]) {\n      this.#pending.splice(this.#pending.indexOf(first), 1)',
      },
      {
        file: network('inbound/answer-queue'),
        find: 'this.#writer.push(first.answer)',
        replace: 'this.#writer.push(answer)',
      },
    ],
    hunters: [tested('transport-network', 'test/answers-match.test.ts')],
  },
  {
    name: 'late-answer-taken-for-the-next',
    broken:
      'a connection is used again although the answer to a request that was given up is still to come',
    source: 'hashicorp/raft: pooled connections; faults: G6',
    edits: [
      {
        file: network('outbound/outbound-connection'),
        find: 'if (this.#failure !== undefined) return\n    this.#failure = { reason }',
        replace: `if (this.#failure !== undefined) return
    if (RaftError.is(reason, 'RAFT_RPC_TIMEOUT')) {
      for (const { reject } of this.#waiting.splice(0)) reject(reason)
      return
    }
    this.#failure = { reason }`,
      },
      {
        file: network('network-transport'),
        find: `if (RaftError.is(error, 'RAFT_RPC_TIMEOUT')) this.#pool.drop(address)`,
        replace: 'this.#pool.give(connection)',
      },
    ],
    hunters: [
      tested('transport-network', 'test/answers-match.test.ts'),
      tested('transport-network', 'test/call.test.ts'),
    ],
  },
  {
    name: 'lost-answer-called-not-committed',
    broken:
      'a command whose answer was lost on the way from the leader is said to have had no effect',
    source: 'faults: I1; TigerBeetle, Jepsen notes',
    edits: [
      {
        file: node('forwarding/forward-lane'),
        find: `return error.outcome === undefined ? withOutcome(error, 'unknown') : error`,
        replace: `return error.outcome === undefined ? withOutcome(error, 'not-committed') : error`,
      },
    ],
    hunters: [tested('raft-node', 'test/forwarding/forward-lane.test.ts')],
  },
  {
    name: 'forwarded-command-sent-twice',
    broken:
      'a command whose answer was lost on the way from the leader is sent, and applied, again',
    source: 'Redis-Raft #13; faults: I1',
    edits: [
      {
        file: node('forwarding/forward-lane'),
        find: 'const results = decodeResults(await this.#sendBatch(batch))',
        replace:
          'const results = decodeResults(await this.#sendBatch(batch).catch(() => this.#sendBatch(batch)))',
      },
    ],
    hunters: [tested('raft-node', 'test/forwarding/forward-lane.test.ts')],
  },
]
