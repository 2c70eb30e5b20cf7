import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Member, Operations, ServerConfig, Status } from './protocol.ts'
import { commandOf, type Family, familyOf, type ServerKind } from './server-kind.ts'
import { CallError, ServerProcess } from './server-process.ts'
import { until } from './waiting.ts'

/** A port may still be taken by a connection that is closing. */
const START_ATTEMPTS = 10
const START_PAUSE_MS = 200

/** One server of a cluster, which can be killed and started again on the same data and address. */
export class ClusterServer {
  readonly id: string
  readonly kind: ServerKind
  readonly directory: string
  readonly config: ServerConfig
  #address: string
  #process: ServerProcess | undefined

  constructor(
    kind: ServerKind,
    options: {
      readonly id: string
      readonly directory: string
      readonly config: ServerConfig
      /** Default: one that the system assigns. */
      readonly address?: string
    },
  ) {
    this.kind = kind
    this.id = options.id
    this.directory = options.directory
    this.config = options.config
    this.#address = options.address ?? '127.0.0.1:0'
  }

  get family(): Family {
    return familyOf(this.kind)
  }

  get isUp(): boolean {
    return this.#process !== undefined && !this.#process.hasEnded
  }

  /** Fixed from the first start on. */
  get address(): string {
    return this.#address
  }

  get member(): Member {
    return { id: this.id, address: this.#address, suffrage: 'voter' }
  }

  /** Starts the process, which listens and does nothing else until {@link join}. */
  async launch(): Promise<void> {
    await mkdir(this.directory, { recursive: true })
    const { id, directory: data } = this
    for (let attempt = 1; ; attempt += 1) {
      const command = commandOf(this.kind, { id, data, address: this.#address })
      try {
        this.#process = await ServerProcess.start(command, join(data, 'server.log'))
        break
      } catch (error) {
        if (attempt === START_ATTEMPTS) throw error
        await sleep(START_PAUSE_MS)
      }
    }
    this.#address = this.#process.address
  }

  /** Takes part in the cluster; with members, in a new one. */
  async join(members?: readonly Member[]): Promise<void> {
    await this.call('start', { config: this.config, ...(members !== undefined && { members }) })
  }

  /** After {@link kill} or {@link stop}: the same server again. */
  async restart(): Promise<void> {
    await this.launch()
    await this.join()
  }

  async pause(wait: () => Promise<void>): Promise<void> {
    await this.#process?.pause(wait)
  }

  async kill(): Promise<void> {
    await this.#process?.kill()
  }

  async stop(): Promise<void> {
    if (this.isUp) await this.#process?.stop()
  }

  call<Name extends keyof Operations>(
    op: Name,
    ...args: Operations[Name]['args'] extends void ? [] : [Operations[Name]['args']]
  ): Promise<Operations[Name]['result']> {
    if (this.#process === undefined)
      return Promise.reject(new CallError(`${this.id} is not running`, 'not-committed'))
    return this.#process.call(op, ...args)
  }

  status(): Promise<Status> {
    return this.call('status')
  }

  /** Waits until the status is as wanted. */
  until(what: string, isWanted: (status: Status) => boolean, boundMs?: number): Promise<Status> {
    const ask = async (): Promise<Status | undefined> => {
      const status = await this.status()
      return isWanted(status) ? status : undefined
    }
    return until(`${this.id}: ${what}`, ask, boundMs)
  }
}
