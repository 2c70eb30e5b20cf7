// Three server processes as one cluster, for the length of a measurement.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Command, Load, LoadResult, Report, StoreKind } from './protocol.ts'

const SERVERS = 3

/** One server process and what it reports. */
class ServerProcess {
  readonly #child: ChildProcess
  readonly #waiting: { type: Report['type']; resolve: (report: Report) => void }[] = []
  readonly #unclaimed: Report[] = []
  #failure: Error | undefined
  readonly #rejects = new Set<(error: Error) => void>()

  constructor(kind: StoreKind) {
    this.#child = fork(fileURLToPath(new URL('./server.ts', import.meta.url)), [kind])
    this.#child.on('message', (report: Report) => this.#take(report))
    this.#child.on('exit', (code) =>
      this.#fail(new Error(`a server process ended with code ${code}`)),
    )
  }

  send(command: Command): void {
    this.#child.send(command)
  }

  /** The next report of this type, also one that came before the call. */
  async next<T extends Report['type']>(type: T): Promise<Extract<Report, { type: T }>> {
    const report = await new Promise<Report>((resolve, reject) => {
      const index = this.#unclaimed.findIndex((candidate) => candidate.type === type)
      if (index >= 0) return resolve(this.#unclaimed.splice(index, 1)[0]!)
      if (this.#failure) return reject(this.#failure)
      this.#waiting.push({ type, resolve })
      this.#rejects.add(reject)
    })
    return report as Extract<Report, { type: T }>
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.send({ type: 'stop' })
    await ended
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  #take(report: Report): void {
    if (report.type === 'failed') return this.#fail(new Error(report.message))
    const index = this.#waiting.findIndex((waiter) => waiter.type === report.type)
    if (index >= 0) this.#waiting.splice(index, 1)[0]!.resolve(report)
    else this.#unclaimed.push(report)
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const reject of this.#rejects) reject(error)
    this.#rejects.clear()
  }
}

/** A load's result and the CPU time that all servers spent on it. */
export interface Measured extends LoadResult {
  readonly cpuMicroseconds: number
}

/** A running cluster that can be measured. */
export interface MeasuredCluster {
  /** Runs one load in the leader's process. */
  measure(load: Load): Promise<Measured>
  stop(): Promise<void>
}

/** A running cluster with a known leader. */
export class Cluster implements MeasuredCluster {
  readonly #servers: readonly ServerProcess[]
  readonly #leader: ServerProcess

  private constructor(servers: readonly ServerProcess[], leader: ServerProcess) {
    this.#servers = servers
    this.#leader = leader
  }

  /** Starts three processes on free ports of the loopback and waits for a leader. */
  static async start(kind: StoreKind): Promise<Cluster> {
    const servers = Array.from({ length: SERVERS }, () => new ServerProcess(kind))
    try {
      const listening = await Promise.all(servers.map((server) => server.next('listening')))
      const configuration = {
        servers: listening.map(({ address }) => ({
          suffrage: 'voter' as const,
          id: address,
          address,
        })),
      }
      for (const server of servers) server.send({ type: 'start', configuration, bootstrap: true })
      const leader = await Promise.race(
        servers.map(async (server) => {
          await server.next('leader')
          return server
        }),
      )
      return new Cluster(servers, leader)
    } catch (error) {
      for (const server of servers) server.kill()
      throw error
    }
  }

  async measure(load: Load): Promise<Measured> {
    this.#leader.send({ type: 'load', load })
    await this.#leader.next('measuring')
    const before = await this.#cpu()
    const { result } = await this.#leader.next('loaded')
    const after = await this.#cpu()
    return { ...result, cpuMicroseconds: after - before }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.stop()))
  }

  async #cpu(): Promise<number> {
    const reports = await Promise.all(
      this.#servers.map(async (server) => {
        server.send({ type: 'cpu' })
        return server.next('cpu')
      }),
    )
    return reports.reduce((sum, report) => sum + report.microseconds, 0)
  }
}
