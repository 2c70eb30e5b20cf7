import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { BrokenSeed, Job, SeedMessage, WorkerMessage } from './messages.ts'

/** What a {@link WorkerPool} works on. */
export interface PoolOptions {
  readonly workers: number
  /** The next seed to run; undefined when there is none. */
  readonly nextJob: () => Job | undefined
  /** A seed that takes longer is given up, milliseconds of real time. */
  readonly patienceMs: number
  readonly onSeed: (message: SeedMessage) => void
  readonly onBroken: (broken: BrokenSeed) => void
  /** The program of a worker. Default: `worker.ts`. */
  readonly program?: string
  /** Options of Node for it. Default: those of this process. */
  readonly execArgv?: readonly string[]
}

/** Lines of what a worker said last that are kept for its obituary. */
const LAST_WORDS = 5

/**
 * Worker processes that take seeds one by one. A worker that dies or does not come back is replaced, and the seed that
 * it had is reported: one bad seed costs no other.
 */
export class WorkerPool {
  readonly #options: PoolOptions

  constructor(options: PoolOptions) {
    this.#options = options
  }

  /** Resolves when there are no more seeds. */
  async run(): Promise<void> {
    const places = Array.from({ length: this.#options.workers }, () => this.#keepWorking())
    await Promise.all(places)
  }

  async #keepWorking(): Promise<void> {
    const { nextJob } = this.#options
    for (let job = nextJob(); job !== undefined;) job = await this.#oneWorker(job)
  }

  /** Runs one worker from this seed on. Gives the seed to go on with when it broke, undefined at the end. */
  #oneWorker(first: Job): Promise<Job | undefined> {
    const { nextJob, onSeed, onBroken, patienceMs } = this.#options
    const worker = this.#start()
    const lastWords = lastWordsOf(worker)
    let current: Job | undefined = first
    let isLate = false
    let timer: NodeJS.Timeout | undefined
    const hand = (): void => {
      clearTimeout(timer)
      if (current === undefined) {
        worker.disconnect()
        return
      }
      worker.send(current)
      timer = setTimeout(() => {
        isLate = true
        worker.kill('SIGKILL')
      }, patienceMs)
    }
    return new Promise((resolve) => {
      worker.on('message', (message: WorkerMessage) => {
        if (message !== 'ready') {
          onSeed(message)
          current = nextJob()
        }
        hand()
      })
      worker.on('exit', (code, signal) => {
        clearTimeout(timer)
        if (current === undefined) {
          resolve(undefined)
          return
        }
        const job = current
        const end = signal === null ? `with code ${code}` : `by ${signal}`
        void lastWords.then((words) => {
          const reason = isLate
            ? `it did not end within ${patienceMs / 1000} s of real time`
            : [`its worker process ended ${end}`, ...words].join('\n    ')
          onBroken({ job, reason })
          resolve(nextJob())
        })
      })
    })
  }

  #start(): ChildProcess {
    const {
      program = fileURLToPath(new URL('worker.ts', import.meta.url)),
      execArgv = process.execArgv,
    } = this.#options
    return fork(program, {
      execArgv: [...execArgv],
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    })
  }
}

/** What a worker said last, when it has ended. */
async function lastWordsOf({ stderr }: ChildProcess): Promise<readonly string[]> {
  let text = ''
  for await (const chunk of stderr ?? []) text = (text + String(chunk)).slice(-10_000)
  return text.trim().split('\n').slice(-LAST_WORDS)
}
