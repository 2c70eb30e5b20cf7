import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { KvClient } from './client.ts'
import type { Status } from './status.ts'

/** How the nodes of a cluster are started. */
export interface NodeProcessOptions {
  readonly name: string
  readonly address: string
  readonly peers: readonly string[]
  readonly http: string
  readonly directory: string
  readonly electionMs: number
  readonly snapshotThreshold: number
  readonly trailingLogs: number
}

const startAttempts = 5
const pollMs = 20

/** One node in a process of its own, which can be killed and started again on the same data. */
export class NodeProcess {
  readonly name: string
  readonly client: KvClient
  readonly options: NodeProcessOptions
  #child: ChildProcess | undefined

  constructor(options: NodeProcessOptions) {
    this.name = options.name
    this.options = options
    this.client = new KvClient(`http://${options.http}`)
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get logFile(): string {
    return join(this.options.directory, 'node.log')
  }

  /** Starts the process; resolves when it listens. A port may still be taken by a connection that is closing. */
  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      if (await this.#startOnce()) return
      if (attempt === startAttempts)
        throw new Error(`${this.name} did not start; its log is ${this.logFile}`)
      await sleep(200)
    }
  }

  /** kill -9: the process gets no chance to do anything. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** Asks the process to stop, which hands over leadership. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  /** For the end of the demo's own process: does not wait. */
  killNow(): void {
    this.#child?.kill('SIGKILL')
  }

  /** Waits until the node's status is as wanted. */
  async until(wanted: (status: Status) => boolean, what: string): Promise<Status> {
    return until(`${this.name}: ${what}`, async () => {
      const status = await this.client.status()
      return status !== undefined && wanted(status) ? status : undefined
    })
  }

  async #startOnce(): Promise<boolean> {
    const log = openSync(this.logFile, 'a')
    // The child runs TypeScript through the same loader as this process, wherever that comes from.
    const child = spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), ...this.#arguments()],
      {
        stdio: ['ignore', log, log, 'ipc'],
      },
    )
    closeSync(log)
    this.#child = child
    const up = once(child, 'message').then(() => true)
    const down = once(child, 'exit').then(() => false)
    // Whichever does not come first may fail later without anybody waiting for it.
    up.catch(() => {})
    down.catch(() => {})
    return Promise.race([up, down])
  }

  #arguments(): string[] {
    const { address, peers, directory, http, electionMs, snapshotThreshold, trailingLogs } =
      this.options
    const flags = {
      address,
      peers: peers.join(','),
      data: join(directory, 'data'),
      http,
      'election-ms': electionMs,
      'snapshot-interval-ms': 300,
      'snapshot-threshold': snapshotThreshold,
      'trailing-logs': trailingLogs,
    }
    const program = fileURLToPath(new URL('node.ts', import.meta.url))
    return [program, ...Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, `${value}`])]
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
}

/** How long the demo waits for anything before it gives up: milliseconds. */
const patienceMs = 30_000

/** Asks again and again until there is an answer. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined>,
  waitMs = patienceMs,
): Promise<T> {
  const end = performance.now() + waitMs
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (performance.now() > end) throw new Error(`waited ${waitMs / 1000} s in vain for ${what}`)
    await sleep(pollMs)
  }
}
