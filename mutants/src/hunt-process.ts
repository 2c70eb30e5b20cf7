// One process of a hunt, watched: it must tell something from time to time, and it must end.
import { fork } from 'node:child_process'
import type { Finding, HuntMessage } from './hunt-messages.ts'

/** What to start. */
export interface HuntProcess {
  readonly path: string
  readonly words: readonly string[]
  readonly execArgv: readonly string[]
  /** Messages that come when nothing is found. */
  readonly expected: number
  /** Ends the process before its end. */
  readonly signal: AbortSignal
}

/** What came of a process. */
export interface HuntResult {
  readonly finding: Finding
  /** Messages that came: seeds, in the simulator. */
  readonly looks: number
}

/** A process that says nothing for so long is ended, milliseconds. */
const SILENCE_MS = 300_000

/** Lines of a process's errors that a report shows. */
const ERROR_LINES = 6

/** Runs a process to its end. Never rejects: what goes wrong is a finding of its own. */
export function runHunt(hunt: HuntProcess): Promise<HuntResult> {
  const { path, words, execArgv, expected, signal } = hunt
  const child = fork(path, [...words], {
    execArgv: [...execArgv],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  let looks = 0
  let found: Finding | undefined
  let errors = ''
  return new Promise((resolve) => {
    const giveUp = (message: string): void => {
      found ??= { outcome: 'error', message }
      child.kill('SIGKILL')
    }
    const silent = (): void => giveUp(`no news for ${SILENCE_MS / 1000} s`)
    const stopped = (): void => giveUp('there was no time left')
    let timer = setTimeout(silent, SILENCE_MS)
    if (signal.aborted) stopped()
    signal.addEventListener('abort', stopped, { once: true })
    child.stderr?.on('data', (chunk: Buffer) => {
      errors += chunk.toString()
    })
    child.on('message', ({ finding }: HuntMessage) => {
      looks++
      clearTimeout(timer)
      timer = setTimeout(silent, SILENCE_MS)
      if (finding.outcome !== 'survived') found ??= finding
    })
    child.on('close', (code) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', stopped)
      resolve({ finding: found ?? atTheEnd(code, looks, expected, errors), looks })
    })
  })
}

function atTheEnd(code: number | null, looks: number, expected: number, errors: string): Finding {
  if (code === 0 && looks === expected) return { outcome: 'survived' }
  const last = errors.trim().split('\n').slice(0, ERROR_LINES).join('\n')
  return {
    outcome: 'error',
    message: `the process of the hunt ended with ${code} after ${looks} of ${expected}: ${last}`,
  }
}
