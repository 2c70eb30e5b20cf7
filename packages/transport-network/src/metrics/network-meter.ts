import {
  type Clock,
  guardedMetrics,
  type Histogram,
  type HistogramDescription,
  type Logger,
  type Metrics,
  RPC_LABELS,
  type RpcLabel,
} from '@raftkit/interface'
import { openConnections, rpcDecode, rpcEnqueue, rpcRespond } from './network-metrics.ts'

/** How many connections there are, by kind. */
export type ConnectionCounts = Readonly<Record<'inbound' | 'outbound' | 'idle', () => number>>

type ByLabel = Readonly<Record<RpcLabel, Histogram>>

/** The measurements of one transport. Without metrics there is none, and no clock is read for it. */
export class NetworkMeter {
  readonly #clock: Clock
  readonly #decode: ByLabel
  readonly #enqueue: ByLabel
  readonly #respond: ByLabel
  readonly #gauges: readonly (() => void)[]

  constructor(given: Metrics, clock: Clock, logger: Logger, counts: ConnectionCounts) {
    const metrics = guardedMetrics(given, logger)
    const byLabel = (description: HistogramDescription): ByLabel =>
      Object.fromEntries(
        RPC_LABELS.map((type) => [type, metrics.histogram(description, { type })]),
      ) as ByLabel
    this.#clock = clock
    this.#decode = byLabel(rpcDecode)
    this.#enqueue = byLabel(rpcEnqueue)
    this.#respond = byLabel(rpcRespond)
    this.#gauges = Object.entries(counts).map(([kind, count]) =>
      metrics.gauge(openConnections, { kind }, count),
    )
  }

  /** A moment to measure from, milliseconds. */
  now(): number {
    return this.#clock.now()
  }

  decoded(type: RpcLabel, startedAt: number): void {
    this.#record(this.#decode[type], startedAt)
  }

  enqueued(type: RpcLabel, startedAt: number): void {
    this.#record(this.#enqueue[type], startedAt)
  }

  responded(type: RpcLabel, startedAt: number): void {
    this.#record(this.#respond[type], startedAt)
  }

  close(): void {
    for (const end of this.#gauges) end()
  }

  #record(histogram: Histogram, startedAt: number): void {
    histogram.record((this.#clock.now() - startedAt) / 1000)
  }
}
