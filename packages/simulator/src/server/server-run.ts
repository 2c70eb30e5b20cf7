import type {
  EntryBatch,
  RpcRequest,
  RpcResponse,
  ServerId,
  StateMachine,
} from '@raftkit/interface'
import { bootstrapCluster, hasExistingState, Raft } from '@raftkit/raft-core'
import { checkAcknowledgement } from '../checks/acknowledgements.ts'
import { CheckedMachine } from '../checks/checked-machine.ts'
import { Progress } from '../checks/progress.ts'
import type { SimulatedDisk } from '../disk/simulated-disk.ts'
import { SimulatedSnapshotStore } from '../disk/simulated-snapshot-store.ts'
import { SimulatedStore } from '../disk/simulated-store.ts'
import { GatedTransport } from '../network/gated-transport.ts'
import type { Stream } from '../random/streams.ts'
import { answerMark, roleMark } from '../marks/server-marks.ts'
import { requestFacts, responseFacts } from '../story/message-words.ts'
import { Process } from './process.ts'
import { ServerClock } from './server-clock.ts'
import type { Surroundings } from './surroundings.ts'

/** What a run tells its server. */
export interface RunEvents {
  /** A moment came that a crash may follow: `share` of such moments do. */
  onCrashPoint(share: number, what: string): void
  /** A request left; it may be kept for later. */
  onSent(address: string, request: RpcRequest): void
  /** Raft has stopped by itself, or could not start. */
  onStopped(error: unknown): void
}

/** Chance for the runs of a server, each use by itself. */
export interface RunChances {
  readonly turns: Stream
  readonly raft: Stream
  readonly apply: Stream
}

/** One run of a server: a process with a Raft in it, from its start to its crash. */
export class ServerRun<M extends StateMachine<R>, R> {
  readonly process: Process = new Process()
  readonly clock: ServerClock
  readonly machine: M
  readonly checked: CheckedMachine<R>
  /** Undefined while it starts. */
  raft: Raft<R> | undefined
  readonly #id: ServerId
  readonly #place: number
  readonly #world: Surroundings<M, R>
  readonly #disk: SimulatedDisk
  readonly #events: RunEvents
  readonly #chances: RunChances
  #progress: Progress | undefined
  #closeTransport: () => Promise<void> = async () => {}

  constructor(
    place: number,
    id: ServerId,
    world: Surroundings<M, R>,
    disk: SimulatedDisk,
    events: RunEvents,
    chances: RunChances,
  ) {
    this.#id = id
    this.#place = place
    this.#world = world
    this.#disk = disk
    this.#events = events
    this.#chances = chances
    const { time, options } = world
    this.clock = new ServerClock({
      time,
      process: this.process,
      random: chances.turns,
      rate: options.clockRates[place]!,
      onRun: () => this.#progress?.look(),
    })
    this.machine = world.newMachine()
    this.checked = new CheckedMachine<R>({
      id,
      machine: this.machine,
      applied: world.applied,
      violate: world.violate,
      beforeApply: ({ data }) => this.#beforeApply(data),
      check: world.check === undefined ? undefined : () => world.check?.(this.machine),
      fresh: world.newMachine,
    })
  }

  /** Starts the server, the cluster too when it is new. */
  start(): void {
    this.#start().catch((error: unknown) => {
      if (!this.process.isDead) this.#events.onStopped(error)
    })
  }

  /** The address is free again. */
  close(): void {
    void this.#closeTransport()
  }

  async #start(): Promise<void> {
    const world = this.#world
    const id = this.#id
    const store = new SimulatedStore(this.#disk, this.process, this.#storeObserver())
    const snapshotStore = new SimulatedSnapshotStore(this.#disk, this.process)
    const stores = { logStore: store, stableStore: store, snapshotStore }
    const isKnown = await hasExistingState(stores)
    if (isKnown) world.marks.hit('a server restarted with what it had')
    if (!isKnown) await bootstrapCluster({ ...stores, configuration: world.configuration })
    const config = world.options.configs[this.#place]!
    const transport = world.network.transport(id, {
      clock: this.clock,
      timeoutMs: config.rpcTimeoutMs,
      snapshotTimeoutMs: config.snapshotStallMs * 3,
      pipelines: world.options.pipelines,
    })
    this.#closeTransport = () => transport.close()
    const raft = await Raft.start<R>({
      id,
      config,
      stateMachine: this.checked,
      ...stores,
      transport: new GatedTransport(transport, this.process, {
        onRequest: (to, request) => this.#sends(to.address, request),
        onResponse: (request, response) => this.#answers(request, response),
      }),
      clock: this.clock,
      random: this.#chances.raft,
    })
    this.raft = raft
    this.#progress = new Progress(id, raft, world.committed, world.violate)
    this.#listen(raft)
    world.trace.tell(id, 'runs in term', raft.currentTerm)
  }

  #listen(raft: Raft<R>): void {
    const { trace, elections } = this.#world
    const id = this.#id
    raft.on('role-changed', ({ role, term, reason }) => {
      if (this.process.isDead) return
      trace.tell(id, 'is', role, 'in term', term, `(${reason})`)
      const mark = roleMark(role, reason)
      if (mark !== undefined) this.#world.marks.hit(mark)
      if (role !== 'leader') return
      elections.leads(id, term)
      this.#world.onLeader(id)
    })
    raft.on('snapshot-saved', () => this.#world.marks.hit('a snapshot was taken'))
    raft.on('snapshot-installed', ({ index }) => {
      this.#world.marks.hit('a snapshot was installed')
      trace.tell(id, 'installed a snapshot of', index)
    })
    raft.on('stopped', ({ error }) => {
      if (!this.process.isDead && error !== undefined) this.#events.onStopped(error)
    })
  }

  #storeObserver(): ConstructorParameters<typeof SimulatedStore>[2] {
    const { tree, committed, elections } = this.#world
    const id = this.#id
    return {
      onAppend: (image, batches: readonly EntryBatch[]) => tree.append(id, image, batches),
      onTruncate: (image, from) => {
        this.#world.marks.hit('a conflicting suffix was removed')
        committed.checkTruncation(id, image, from)
        this.#checkLeaderTruncates(from)
      },
      onHardState: (image, state) => elections.saved(id, image, state),
    }
  }

  /** A leader never removes an entry of its log (Leader Append-Only, §5.3). */
  #checkLeaderTruncates(from: number): void {
    const { raft } = this
    if (raft === undefined || raft.state !== 'leader') return
    if (this.#disk.image.entry(from)?.term === raft.currentTerm)
      this.#world.violate('leader append-only', `${this.#id}, a leader, truncates from ${from}`)
  }

  #sends(to: string, request: RpcRequest): void {
    const { trace, elections, options } = this.#world
    trace.tell(this.#id, 'sends', to, ...requestFacts(request))
    elections.asks(this.#id, this.#disk.image, request)
    this.#events.onSent(to, request)
    if (request.type === 'install-snapshot') this.#world.marks.hit('a snapshot was sent')
    if (request.type === 'timeout-now')
      this.#world.marks.hit('a transfer was asked for by the leader')
    if (request.type === 'request-vote')
      this.#events.onCrashPoint(options.crashPoints.voteRequested, 'asking for a vote')
  }

  #answers(request: RpcRequest, response: RpcResponse): void {
    const { trace, elections, violate, options } = this.#world
    const id = this.#id
    const { image } = this.#disk
    if (!(request.type === 'append-entries' && request.entries === null))
      trace.tell(id, 'answers', request.header.id, ...responseFacts(response))
    elections.answers(id, image, request, response)
    checkAcknowledgement(violate, id, image, request, response)
    const mark = answerMark(response)
    if (mark !== undefined) this.#world.marks.hit(mark)
    const { voteGranted, appendAcknowledged } = options.crashPoints
    if (response.type === 'request-vote' && response.granted)
      this.#events.onCrashPoint(voteGranted, 'giving a vote')
    if (response.type === 'append-entries' && response.success)
      this.#events.onCrashPoint(appendAcknowledged, 'acknowledging entries')
  }

  #beforeApply(data: Uint8Array): void | Promise<void> {
    const { options, time, isStormy } = this.#world
    this.#world.onCommand(this.#id, data)
    if (!isStormy()) return
    const { apply } = this.#chances
    if (apply.chance(options.stalls)) this.#standStill(apply.exponential(options.stallMs))
    if (apply.chance(options.slowApply))
      return this.process.pass(
        time.sleep(this.process.aheadMs + apply.exponential(options.slowApplyMs)),
      )
  }

  /** The event loop stands still in the middle of a turn. */
  #standStill(forMs: number): void {
    this.#world.trace.tell(this.#id, 'stands still for', forMs)
    this.process.pause(forMs)
    this.#world.time.after(forMs, () => this.process.resume())
  }
}
