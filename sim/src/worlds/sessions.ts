// Whole nodes, whose clients call any of them: their commands are applied exactly once, whatever happens.
import { RaftError, type Random, type StateMachine } from '@raftkit/interface'
import {
  DEFAULT_FORWARD_LIMITS,
  DEFAULT_SESSION_LIMITS,
  type ForwardLimits,
  messagePackCodec,
  type NodeStateMachine,
  type RaftNode,
  type SessionLimits,
} from '@raftkit/raft-node'
import { startNode } from '@raftkit/raft-node/parts'
import type { Layer, Service, Site } from '@raftkit/simulator'
import { type Kind, kindOf } from './kind.ts'
import { nodePlace } from './node-place.ts'
import {
  encodeValue,
  type RegisterAnswer,
  type RegisterCommand,
  type RegisterInput,
  type RegisterMachine,
  registers,
  registerWorkload,
} from './registers.ts'
import { sessionsProfile } from './session-profile.ts'
import { SessionWatch } from './session-watch.ts'

type RegisterSite = Site<RegisterMachine, Uint8Array>
type RegisterNode = RaftNode<RegisterCommand, RegisterAnswer, string, number>

/** What a thousand seeds reach. */
const MARKS = [
  'a session was registered',
  'a command came twice and was answered from the table',
  'a command came twice whose answer was not kept',
  'a command came for a session that was gone',
  'a command came that its client waits for no more',
  'a forwarded request came twice',
  'commands were applied in a batch',
  'a table of sessions was restored from a snapshot',
  'a follower had a command applied',
  'a follower had a query answered',
  'a node became ready',
  'a caller was told that its session is gone',
  'a caller was told that its command took effect, without the answer',
  'a caller was told that its command may take effect',
  'a caller was told that its command never takes effect',
  'a call was refused because too many wait for the leader',
] as const

type SessionMark = (typeof MARKS)[number]

/** What a command came to in the state machine. */
interface Applied {
  readonly index: number
  readonly before: number
}

/** Nodes on every server of one run. */
class SessionsLayer implements Layer<RegisterMachine, RegisterInput, Uint8Array> {
  readonly repeatForwards: boolean
  readonly #limits: SessionLimits
  readonly #watch = new SessionWatch()
  /** By the value of the command, which is unique. */
  readonly #applied = new Map<number, Applied>()
  /** Index of the last command whose caller was answered. */
  #lastAnswered = 0

  constructor(random: Random) {
    // A copy of a message may come after its session was ended to make room, and what comes then is sent in a new one:
    // where messages come twice, sessions must live as long as the messages.
    this.repeatForwards = random.next() < 0.5
    this.#limits = {
      ...(this.repeatForwards
        ? { sessionTimeoutMs: 36_000_000, maxSessions: 1024 }
        : {
            sessionTimeoutMs: pick(random, [200, 2000, 20_000, 3_600_000]),
            maxSessions: pick(random, [1, 2, 4, 1024]),
          }),
      maxCachedResponses: pick(random, [1, 2, 8, 8192]),
      maxCachedResponseBytes: pick(random, [100, 1000, 4_000_000]),
    }
  }

  readonly start = async (
    site: RegisterSite,
  ): Promise<Service<RegisterMachine, RegisterInput, Uint8Array>> => {
    const { id, random, raftOptions } = site
    const { config, stateMachine, ...parts } = raftOptions
    const snapshotStore = this.#watch.store(parts.snapshotStore, site)
    const node = await startNode(
      {
        ...nodePlace(id, config),
        stateMachine: this.#machineOf(site, stateMachine),
        sessions: { ...DEFAULT_SESSION_LIMITS, ...this.#limits },
        forward: forwardLimits(random),
      },
      async () => ({
        ...parts,
        snapshotStore,
        aroundMachine: (machine) => this.#watch.around(machine, site),
      }),
    )
    if (random.next() < 0.3) void this.#becomesReady(node, site)
    const timeoutMs = 500 + random.next() * 1500
    const transferLeadership = random.next() < 0.7
    return {
      raft: node.raft,
      call: ({ input }, limits) =>
        input.op === 'get'
          ? this.#query(node, site, input.key, limits.timeoutMs)
          : this.#apply(node, site, input, limits.timeoutMs),
      stop: () => node.stop({ timeoutMs, transferLeadership }),
    }
  }

  /** The machine with the checks of the world around it, in batches on some servers. */
  #machineOf(
    { machine, random }: RegisterSite,
    checked: StateMachine<Uint8Array>,
  ): NodeStateMachine<RegisterCommand, RegisterAnswer, string, number> {
    const apply: typeof checked.apply = (entry) => {
      const { value } = messagePackCodec.decode(entry.data) as RegisterCommand
      const noted = (answer: Uint8Array): Uint8Array => {
        const { before } = machine.decodeResponse(answer)
        if (!this.#applied.has(value)) this.#applied.set(value, { index: entry.index, before })
        return answer
      }
      const answer = checked.apply(entry)
      return answer instanceof Promise ? answer.then(noted) : noted(answer)
    }
    return {
      encodeCommand: machine.encodeCommand,
      decodeResponse: machine.decodeResponse,
      encodeQuery: machine.encodeQuery,
      answer: machine.answer,
      decodeAnswer: machine.decodeAnswer,
      apply,
      ...(random.next() < 0.5 && {
        applyBatch: async (entries) => {
          const answers: Uint8Array[] = []
          for (const entry of entries) answers.push(await apply(entry))
          return answers
        },
      }),
      snapshot: () => checked.snapshot(),
      restore: (state) => checked.restore(state),
    }
  }

  async #apply(
    node: RegisterNode,
    { mark, report }: RegisterSite,
    command: RegisterCommand,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const hit: (name: SessionMark) => void = mark
    const isFollower = !node.isLeader
    try {
      const { before } = await node.apply(command, { timeoutMs })
      const applied = this.#applied.get(command.value)
      if (applied?.before !== before)
        report(`a command was answered with ${before}, and the machines had ${applied?.before}`)
      this.#lastAnswered = Math.max(this.#lastAnswered, applied?.index ?? 0)
      if (isFollower) hit('a follower had a command applied')
      return encodeValue(before)
    } catch (error) {
      if (!RaftError.is(error)) throw error
      if (error.outcome === 'committed' && !this.#applied.has(command.value))
        report(`no server has applied a command that failed with ${error.code}: ${error.message}`)
      markFailure(error, hit)
      // Another copy of what was refused may be on its way: where messages come twice nobody can know.
      throw this.repeatForwards ? withUnknownOutcome(error) : error
    }
  }

  async #query(
    node: RegisterNode,
    { mark }: RegisterSite,
    key: string,
    timeoutMs: number,
  ): Promise<Uint8Array> {
    const isFollower = !node.isLeader
    const value = await node.query(key, { timeoutMs })
    if (isFollower) mark('a follower had a query answered')
    return encodeValue(value)
  }

  /** A node that is ready has everything that callers were answered before it was asked. */
  async #becomesReady(node: RegisterNode, { mark, report }: RegisterSite): Promise<void> {
    const needed = this.#lastAnswered
    try {
      await node.whenReady({ timeoutMs: 5000 })
    } catch {
      return
    }
    mark('a node became ready')
    if (node.raft.appliedIndex < needed)
      report(`is ready at entry ${node.raft.appliedIndex}; ${needed} had been answered before`)
  }
}

function withUnknownOutcome(error: RaftError): RaftError {
  return new RaftError(error.code, error.message, { outcome: 'unknown', cause: error })
}

function markFailure({ code, outcome }: RaftError, hit: (name: SessionMark) => void): void {
  if (code === 'RAFT_SESSION_EXPIRED') hit('a caller was told that its session is gone')
  if (code === 'RAFT_LIMIT_EXCEEDED' && outcome === 'committed')
    hit('a caller was told that its command took effect, without the answer')
  if (outcome === 'unknown') hit('a caller was told that its command may take effect')
  if (outcome === 'not-committed') hit('a caller was told that its command never takes effect')
  if (code === 'RAFT_OVERLOADED') hit('a call was refused because too many wait for the leader')
}

function forwardLimits(random: Random): ForwardLimits {
  return {
    ...DEFAULT_FORWARD_LIMITS,
    maxPendingForwards: pick(random, [4, 4096, 4096]),
    maxForwardBytes: pick(random, [100, 1024 * 1024]),
    maxInflightForwards: pick(random, [1, 2, 4]),
  }
}

function pick<T>(random: Random, choices: readonly T[]): T {
  return choices[Math.floor(random.next() * choices.length)]!
}

/** Client sessions on whole nodes. */
export const sessions: Kind = kindOf(MARKS, {
  profile: sessionsProfile,
  stateMachine: registers,
  workload: registerWorkload,
  layer: (random) => new SessionsLayer(random),
})
