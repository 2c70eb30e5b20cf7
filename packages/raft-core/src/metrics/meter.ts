import {
  type Clock,
  guardedMetrics,
  type Logger,
  type LogStore,
  LogType,
  type Metrics,
  type ServerId,
  type Transport,
  withLabels,
} from '@raftkit/interface'
import type { Effect } from '../consensus/effects.ts'
import type { ConsensusEvent, Moment } from '../consensus/events.ts'
import type { RaftStats } from '../raft-stats.ts'
import { namedLogger } from '../named-logger.ts'
import type { Storage } from '../storage.ts'
import { type GaugeName, gauges } from './catalogue.ts'
import { ConsensusMeter } from './consensus-meter.ts'
import { queues, readings } from './gauge-readings.ts'
import { Instruments } from './instruments.ts'
import { measuredStateMachine } from './measured-state-machine.ts'
import { measuredLogStore, measuredSnapshotStore, measuredStableStore } from './measured-stores.ts'
import { MeasuredTransport } from './measured-transport.ts'
import { OldestEntry } from './oldest-entry.ts'
import { Saturation } from './saturation.ts'
import { toSeconds } from './timing.ts'

/** What is measured of a turn. */
export interface MeasuredTurn {
  readonly clock: Clock
  readonly step: (event: ConsensusEvent, moment: Moment) => readonly Effect[]
  readonly carryOut: (effect: Effect) => void
}

/**
 * The measurements of one server: the parts that it is given and the turns that it runs, each as it was but measured.
 * A server without metrics has no meter, and nothing is in its way.
 */
export class Meter {
  readonly #metrics: Metrics
  readonly #clock: Clock
  readonly #instruments: Instruments
  readonly #mainSaturation: Saturation
  readonly #fsmSaturation: Saturation
  readonly #oldestEntry: OldestEntry
  readonly #peerGauges = new Map<ServerId, () => void>()
  #gauges: (() => void)[] = []
  #stats: (() => RaftStats) | undefined
  #lastRestoreSeconds: number | undefined

  constructor(metrics: Metrics, id: ServerId, logStore: LogStore, clock: Clock, logger: Logger) {
    const named = namedLogger(logger, () => ({ id }))
    this.#metrics = withLabels(guardedMetrics(metrics, named), { server: id })
    this.#clock = clock
    this.#instruments = new Instruments(this.#metrics)
    this.#mainSaturation = new Saturation(clock.now())
    this.#fsmSaturation = new Saturation(clock.now())
    this.#oldestEntry = new OldestEntry(logStore, clock)
  }

  /** The same stores and state machine, measured. */
  storage<R>({ logStore, stableStore, snapshotStore, stateMachine }: Storage<R>): Storage<R> {
    const clock = this.#clock
    const instruments = this.#instruments
    return {
      logStore: measuredLogStore(logStore, clock, instruments),
      stableStore: measuredStableStore(stableStore, clock, instruments),
      snapshotStore: measuredSnapshotStore(snapshotStore, clock, instruments),
      stateMachine: measuredStateMachine(stateMachine, {
        clock,
        instruments,
        saturation: this.#fsmSaturation,
        onRestored: (seconds) => {
          this.#lastRestoreSeconds = seconds
        },
      }),
    }
  }

  /** The same transport, measured. */
  transport(transport: Transport): Transport {
    return new MeasuredTransport(transport, this.#clock, this.#instruments)
  }

  /** The same turn, measured: how long it is at work, and what passes in and out of consensus. */
  turn({ clock, step, carryOut }: MeasuredTurn, commitIndex: number): MeasuredTurn {
    const consensus = new ConsensusMeter(this.#instruments, commitIndex, clock)
    return {
      clock: this.#busyClock(clock),
      step: (event, moment) => {
        consensus.learned(event, moment.now)
        return step(event, moment)
      },
      carryOut: (effect) => {
        consensus.wanted(effect)
        carryOut(effect)
      },
    }
  }

  /** A caller wants an entry of this type appended. */
  proposed(type: LogType): void {
    if (type === LogType.command) this.#instruments.applies.add(1)
    else if (type === LogType.barrier) this.#instruments.barriers.add(1)
  }

  /** A caller wants proof of leadership. */
  leadershipChecked(): void {
    this.#instruments.leadershipChecks.add(1)
  }

  /** A snapshot of this server was saved. */
  snapshotSaved(tookMs: number): void {
    this.#instruments.snapshot.record(toSeconds(tookMs))
  }

  /** The server runs: from now on its gauges can be read. */
  watch(stats: () => RaftStats): void {
    this.#stats = stats
    const metrics = this.#metrics
    const clock = this.#clock
    this.#oldestEntry.start()
    const open = (
      name: GaugeName,
      read: () => number | undefined,
      labels: Readonly<Record<string, string>> = {},
    ): void => void this.#gauges.push(metrics.gauge(gauges[name], labels, read))
    for (const [name, read] of readings) open(name, () => read(stats()))
    for (const { queue, length, limit } of queues) {
      open('queueLength', () => length(stats()), { queue })
      if (limit !== undefined) open('queueLimit', () => limit(stats()), { queue })
    }
    open('mainSaturation', () => this.#mainSaturation.read(clock.now()))
    open('fsmSaturation', () => this.#fsmSaturation.read(clock.now()))
    open('fsmLastRestore', () => this.#lastRestoreSeconds)
    open('oldestEntryAge', () => {
      const { ageMs } = this.#oldestEntry
      return ageMs === undefined ? undefined : toSeconds(ageMs)
    })
  }

  /** This leader replicates to a peer. */
  peerFollowed(peer: ServerId): void {
    if (this.#peerGauges.has(peer)) return
    const read = (): number | undefined => this.#sinceContact(peer)
    this.#peerGauges.set(peer, this.#metrics.gauge(gauges.leaderLastContact, { peer }, read))
  }

  /** No longer. */
  peerDropped(peer: ServerId): void {
    this.#peerGauges.get(peer)?.()
    this.#peerGauges.delete(peer)
  }

  /** The server has stopped: its gauges go. */
  close(): void {
    this.#oldestEntry.close()
    for (const end of this.#gauges.splice(0)) end()
    for (const peer of this.#peerGauges.keys()) this.peerDropped(peer)
  }

  #sinceContact(id: ServerId): number | undefined {
    const peer = this.#stats?.().peers.find((other) => other.id === id)
    if (peer?.lastContact === undefined) return undefined
    return toSeconds(Math.max(0, this.#clock.now() - peer.lastContact))
  }

  #busyClock(clock: Clock): Clock {
    const saturation = this.#mainSaturation
    return {
      now: () => clock.now(),
      wallTime: () => clock.wallTime(),
      setTimer: (delayMs, callback) => clock.setTimer(delayMs, callback),
      afterInput: (callback) =>
        clock.afterInput(() => {
          saturation.begin(clock.now())
          try {
            callback()
          } finally {
            saturation.end(clock.now())
          }
        }),
    }
  }
}
