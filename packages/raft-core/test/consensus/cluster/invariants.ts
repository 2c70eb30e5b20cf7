// What must hold after every step of every server, whatever happens (Figure 3 of the paper, and what follows).
import type { Index, IndexedConfiguration, ServerId, Term } from '@raftkit/interface/protocol'
import type { Effect, ReceivedRequest } from '@raftkit/raft-core/consensus'
import type { Message, RequestMessage } from './messages.ts'
import { EMPTY_STATE, type MachineState, type SimulatedEntry } from './simulated-disk.ts'
import { applyEntry } from './entries.ts'
import type { SimulatedServer } from './simulated-server.ts'
import type { Standing } from './surroundings.ts'

interface Committed {
  readonly entry: SimulatedEntry
  /** The term of the leader that committed it: later leaders must have it. */
  readonly inTerm: Term
  readonly state: MachineState
}

export class Invariants {
  readonly #servers: ReadonlyMap<ServerId, SimulatedServer>
  readonly #leaders: Map<Term, ServerId> = new Map()
  readonly #votes: Map<string, ServerId> = new Map()
  readonly #entries: Map<string, { readonly value: string; readonly previousTerm: Term }> =
    new Map()
  readonly #committed: Committed[] = []
  /** Highest term and commit index seen of each server, by run where a restart may lower it. */
  readonly #terms: Map<ServerId, Term> = new Map()
  readonly #commits: Map<string, Index> = new Map()
  readonly #reads: Map<string, Index> = new Map()
  /** What each server acknowledged to its latest leader. */
  readonly #acks: Map<ServerId, { readonly term: Term; readonly index: Index }> = new Map()

  readonly #isPlain: (id: ServerId) => boolean

  /** `isPlain` tells whether a server speaks like hashicorp/raft. */
  constructor(servers: ReadonlyMap<ServerId, SimulatedServer>, isPlain: (id: ServerId) => boolean) {
    this.#servers = servers
    this.#isPlain = isPlain
  }

  /** Entries committed so far, by some leader. */
  get committedIndex(): Index {
    return this.#committed.length
  }

  /** The entry that every server started with. */
  bootstrapped(entry: SimulatedEntry): void {
    this.#committed.push({ entry, inTerm: 1, state: applyEntry(EMPTY_STATE, entry) })
  }

  /** A caller asks `server` for a read that must see everything committed so far. */
  readRequested(server: SimulatedServer, readId: number): void {
    this.#reads.set(`${server.id}/${server.run}/${readId}`, this.committedIndex)
  }

  /** Called with each effect before it is carried out. */
  observe(server: SimulatedServer, effect: Effect, decidedAs: Standing): void {
    switch (effect.type) {
      case 'fatal':
        throw new Error(`${server.id} stopped: ${effect.message}`)
      case 'save-hard-state':
        this.#termSaved(server, effect.hardState.term)
        break
      case 'role-changed':
        if (effect.role === 'leader') this.#elected(server, effect.term, decidedAs)
        break
      case 'truncate-log':
        this.#truncated(server, effect.from, decidedAs)
        check(decidedAs.role !== 'leader', `${server.id} truncates its log as leader`)
        check(effect.from > this.#commitOf(server), `${server.id} truncates committed entries`)
        break
      case 'commit':
        this.#commit(server, effect.index, decidedAs)
        break
      case 'append-configuration':
        this.#appendsConfiguration(server, effect)
        break
      case 'read-confirmed': {
        const least = this.#reads.get(`${server.id}/${server.run}/${effect.readId}`)
        check(least === undefined || effect.index >= least, `${server.id} confirms a stale read`)
        break
      }
      default:
    }
  }

  /** A message leaves a server: nothing in it may be lost in a crash from now on. */
  left(message: Message, answers?: RequestMessage): void {
    if (message.type === 'failure') return
    const server = this.#servers.get(message.from)!
    const { disk } = server
    const body = message.type === 'request' ? message.request : message.answer
    if (body.type === 'error' || body.type === 'timeout-now') return
    const isEcho = body.type === 'request-pre-vote'
    check(
      isEcho || body.term <= disk.hardState.term,
      `${server.id} speaks in term ${body.term}, its disk says ${disk.hardState.term}`,
    )
    if (message.type === 'request') {
      this.#checkReader(message)
      if (body.type === 'request-vote') this.#voted(server.id, body.term, server.id)
      return
    }
    if (body.type === 'request-vote' && 'granted' in body && body.granted)
      this.#voted(server.id, body.term, message.to)
    if ('success' in body && body.success && answers !== undefined)
      this.#acknowledged(server, answers)
  }

  /** hashicorp/raft would take a joint configuration for its first half. */
  #checkReader({ request, from, to }: RequestMessage): void {
    if (!this.#isPlain(to) || this.#isPlain(from)) return
    const sent =
      request.type === 'install-snapshot'
        ? [request.snapshot.configuration]
        : request.type === 'append-entries'
          ? (request.entries?.configurations ?? [])
          : []
    for (const { configuration, index } of sent)
      check(
        configuration.next === undefined,
        `${from} sends the joint configuration ${index} to ${to}, which is not raftkit`,
      )
  }

  /** A leader goes on from a joint configuration once, and only when that is committed (§6). */
  #appendsConfiguration(
    server: SimulatedServer,
    { index, term }: Extract<Effect, { type: 'append-configuration' }>,
  ): void {
    const before = [...server.log.values()].findLast(
      (entry) => entry.index < index && entry.configuration !== undefined,
    )
    check(
      before === undefined || before.index <= this.committedIndex,
      `${server.id} appends configuration ${index} of term ${term} after configuration ${before?.index}, which is not committed`,
    )
  }

  /** Called when a server appends entries. */
  appended(entries: readonly SimulatedEntry[], previousTerm: Term): void {
    let previous = previousTerm
    for (const { index, term, value } of entries) {
      const key = `${index}/${term}`
      const known = this.#entries.get(key)
      if (known === undefined) this.#entries.set(key, { value, previousTerm: previous })
      else
        check(
          known.value === value && known.previousTerm === previous,
          `Log Matching: two logs differ at or before entry ${key}`,
        )
      previous = term
    }
  }

  /** Durable, and from now on safe from everyone but a later leader. */
  #acknowledged(server: SimulatedServer, { request }: RequestMessage): void {
    const proven = provenBy(request)
    if (proven === undefined) return
    const { index, term, inTerm } = proven
    check(
      index === 0 || server.disk.holds(index, term),
      `${server.id} acknowledges entry ${index} of term ${term}, which its disk lacks`,
    )
    const before = this.#acks.get(server.id)
    if (before?.term !== inTerm || before.index < index)
      this.#acks.set(server.id, { term: inTerm, index })
  }

  #truncated(server: SimulatedServer, from: Index, { term }: Standing): void {
    const acked = this.#acks.get(server.id)
    // A log that a received snapshot replaces goes as a whole; the snapshot keeps what it covers.
    if (acked === undefined || acked.index <= server.disk.snapshot.index) return
    check(
      from > acked.index || term > acked.term,
      `${server.id} truncates entry ${from}, acknowledged to the same leader`,
    )
  }

  #termSaved(server: SimulatedServer, term: Term): void {
    const before = this.#terms.get(server.id) ?? 0
    check(term >= before || term >= server.disk.hardState.term, `${server.id}: the term went back`)
    this.#terms.set(server.id, term)
  }

  #elected(server: SimulatedServer, term: Term, { latest }: Standing): void {
    for (const half of votersOf(latest)) {
      const granted = half.filter(
        (id) => id === server.id || this.#votes.get(`${id}/${term}`) === server.id,
      )
      check(
        2 * granted.length > half.length,
        `${server.id} leads term ${term} with ${granted.length} of ${half.length} votes (${half.join(' ')})`,
      )
    }
    const other = this.#leaders.get(term)
    check(other === undefined || other === server.id, `Election Safety: ${other} and ${server.id}`)
    this.#leaders.set(term, server.id)
    for (const { entry, inTerm } of this.#committed) {
      if (inTerm >= term || entry.index <= server.disk.snapshot.index) continue
      check(
        server.log.get(entry.index)?.term === entry.term,
        `Leader Completeness: ${server.id} leads term ${term} without entry ${entry.index}`,
      )
    }
  }

  #voted(voter: ServerId, term: Term, candidate: ServerId): void {
    const key = `${voter}/${term}`
    const before = this.#votes.get(key)
    check(
      before === undefined || before === candidate,
      `${voter} votes for ${before} and ${candidate} in term ${term}`,
    )
    this.#votes.set(key, candidate)
  }

  #commitOf(server: SimulatedServer): Index {
    return this.#commits.get(`${server.id}/${server.run}`) ?? 0
  }

  #commit(server: SimulatedServer, index: Index, { role, term, latest }: Standing): void {
    const before = this.#commitOf(server)
    check(index > before, `${server.id}: the commit index goes from ${before} to ${index}`)
    this.#commits.set(`${server.id}/${server.run}`, index)
    for (let next = server.machine.index + 1; next <= index; next++) {
      const entry = server.log.get(next)
      const known = this.#committed[next - 1]
      if (entry === undefined) throw new Error(`${server.id} commits entry ${next}, which it lacks`)
      if (known !== undefined)
        check(
          known.entry.term === entry.term && known.entry.value === entry.value,
          `State Machine Safety: ${server.id} commits another entry ${next}`,
        )
      else {
        check(role === 'leader', `${server.id} commits entry ${next} before any leader did`)
        this.#checkDurableQuorum(server, entry, latest)
        this.#checkOverlap(entry)
        const state = applyEntry(this.#committed.at(-1)?.state ?? EMPTY_STATE, entry)
        this.#committed.push({ entry, inTerm: term, state })
      }
    }
  }

  /** State Machine Safety after a snapshot: the state is the one that the entries make. */
  installed(server: SimulatedServer): void {
    const { index, digest } = server.machine
    check(
      this.#committed[index - 1]?.state.digest === digest,
      `State Machine Safety: ${server.id} restored another state at ${index}`,
    )
    const acked = this.#acks.get(server.id)
    const { term } = server.consensus.status()
    check(
      acked?.term !== term || acked.index <= index || server.log.has(acked.index),
      `${server.id} drops entry ${acked?.index} with a snapshot, acknowledged to the same leader`,
    )
  }

  /** Any quorum of a configuration shares a server with any quorum of the next (§6): one half of each is enough for that. */
  #checkOverlap({ index, configuration }: SimulatedEntry): void {
    const before = this.#committed.at(-1)?.state.configuration
    if (configuration === undefined || before === undefined) return
    const meets = votersOf(before).some((old) =>
      votersOf(configuration).some((next) => {
        const shared = next.filter((id) => old.includes(id)).length
        return quorumOf(old) + quorumOf(next) > old.length + next.length - shared
      }),
    )
    check(
      meets,
      `configuration ${index} (${told(configuration)}) can decide without the one before (${told(before)})`,
    )
  }

  #checkDurableQuorum(
    leader: SimulatedServer,
    { index, term }: SimulatedEntry,
    latest: IndexedConfiguration,
  ): void {
    for (const voters of votersOf(latest)) {
      const holders = voters.filter((id) => this.#servers.get(id)!.disk.holds(index, term))
      check(
        2 * holders.length > voters.length,
        `${leader.id} commits entry ${index}, durable on ${holders.length} of ${voters.length} voters only (${voters.join(' ')})`,
      )
    }
  }
}

/** The voters of each half of a configuration; of the one half of most. */
function votersOf({ configuration }: IndexedConfiguration): ServerId[][] {
  const { servers, next } = configuration
  const halves = next === undefined ? [servers] : [servers, next]
  return halves.map((half) =>
    half.filter(({ suffrage }) => suffrage === 'voter').map(({ id }) => id),
  )
}

function told(configuration: IndexedConfiguration): string {
  return votersOf(configuration)
    .map((half) => half.join(' '))
    .join(' and ')
}

function quorumOf(voters: readonly ServerId[]): number {
  return Math.floor(voters.length / 2) + 1
}

/** The entry up to which a success acknowledges the log, and to the leader of which term; undefined for heartbeats. */
function provenBy(
  request: ReceivedRequest,
): { readonly index: Index; readonly term: Term; readonly inTerm: Term } | undefined {
  if (request.type === 'install-snapshot') {
    const { index, term } = request.snapshot
    return { index, term, inTerm: request.term }
  }
  if (request.type !== 'append-entries' || request.heartbeat) return undefined
  const { prevLogIndex, prevLogTerm, entries, term: inTerm } = request
  return entries === undefined
    ? { index: prevLogIndex, term: prevLogTerm, inTerm }
    : { index: entries.lastIndex, term: entries.runs.at(-1)!.term, inTerm }
}

function check(condition: boolean, sentence: string): void {
  if (!condition) throw new Error(sentence)
}
