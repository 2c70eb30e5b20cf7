import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Event, Listening, Outcome, PeerOperations, Reply } from './protocol.ts'
import { within } from './waiting.ts'

/** A request that was refused, or whose server went away. */
export class CallError extends Error {
  /** What is known of a command. */
  readonly outcome: Outcome

  constructor(message: string, outcome: Outcome) {
    super(message)
    this.name = 'CallError'
    this.outcome = outcome
  }
}

const START_MS = 30_000
const CALL_MS = 20_000

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: Error) => void
}

/** One server in a process of its own, Go or Node. Its standard error goes to a file. */
export class ServerProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  readonly #awaited: { readonly event: string; readonly resolve: () => void }[] = []
  readonly #ended: Promise<unknown>
  #hasEnded = false
  #nextId = 1
  #address = ''

  private constructor(command: readonly [string, ...string[]], logFile: string) {
    const [program, ...args] = command
    const log = openSync(logFile, 'a')
    this.#child = spawn(program, args, { stdio: ['pipe', 'pipe', log] })
    closeSync(log)
    this.#ended = once(this.#child, 'exit').then(() => this.#end())
    this.#child.stdin?.on('error', () => {}) // A process that was killed: its end says so.
  }

  /** Resolves when the server listens; rejects when the process ends before. */
  static async start(
    command: readonly [string, ...string[]],
    logFile: string,
  ): Promise<ServerProcess> {
    const server = new ServerProcess(command, logFile)
    try {
      await within(server.#listening(), `starting ${command.join(' ')}`, START_MS)
      return server
    } catch (error) {
      await server.kill()
      throw error
    }
  }

  /** Where the server is reached. */
  get address(): string {
    return this.#address
  }

  get hasEnded(): boolean {
    return this.#hasEnded
  }

  /** Has the server do something. Rejects with a {@link CallError}. */
  call<Name extends keyof PeerOperations>(
    op: Name,
    ...[args]: PeerOperations[Name]['args'] extends void ? [] : [PeerOperations[Name]['args']]
  ): Promise<PeerOperations[Name]['result']> {
    const id = this.#nextId++
    const answer = new Promise<unknown>((resolve, reject) => {
      if (this.#hasEnded) return reject(new CallError('the process has ended', 'not-committed'))
      this.#waiting.set(id, { resolve, reject })
      this.#child.stdin?.write(`${JSON.stringify({ id, op, args })}\n`)
    })
    const result = within(answer as Promise<PeerOperations[Name]['result']>, op, CALL_MS)
    // Go writes what every goroutine does, for whoever looks into the log, and ends.
    result.catch(() => this.#waiting.has(id) && this.#child.kill('SIGQUIT'))
    return result
  }

  /** Resolves when the server next tells of it. Rejects when the process ends before. */
  next(event: Event['event']): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#awaited.push({ event, resolve })
      void this.#ended.then(() => reject(new Error(`the process ended before: ${event}`)))
    })
  }

  /** Ends server and process in order. */
  async stop(): Promise<void> {
    this.call('stop').catch(() => {}) // The end of the process is the answer.
    await within(this.#ended, 'stopping', CALL_MS)
  }

  /** Stops the process where it is, as a long pause of the machine does, until `wait` resolves. */
  async pause(wait: () => Promise<void>): Promise<void> {
    this.#child.kill('SIGSTOP')
    try {
      await wait()
    } finally {
      this.#child.kill('SIGCONT')
    }
  }

  /** kill -9: the process gets no chance to do anything. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended
  }

  #listening(): Promise<void> {
    const { stdout } = this.#child
    if (stdout === null) throw new Error('the process has no output')
    return new Promise((resolve, reject) => {
      createInterface({ input: stdout }).on('line', (text) => {
        const line = JSON.parse(text) as Partial<Listening & Reply & Event>
        if (line.listening !== undefined) {
          this.#address = line.listening
          resolve()
        } else if (line.id !== undefined) this.#settle(line.id, line)
        else if (line.event !== undefined) this.#announce(line.event)
      })
      void this.#ended.then(() => reject(new Error('the process ended before it listened')))
    })
  }

  #announce(event: string): void {
    const awaited = this.#awaited.findIndex((waiting) => waiting.event === event)
    if (awaited >= 0) this.#awaited.splice(awaited, 1)[0]!.resolve()
  }

  #settle(id: number, { result, error }: Partial<Reply>): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (error === undefined) waiting?.resolve(result)
    else waiting?.reject(new CallError(error.message, error.outcome))
  }

  #end(): void {
    this.#hasEnded = true
    for (const { reject } of this.#waiting.values())
      reject(new CallError('the process ended before it answered', 'unknown'))
    this.#waiting.clear()
  }
}
