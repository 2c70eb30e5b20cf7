import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'

/** Runs a module of this folder in a process of its own, which ends with the test at the latest. */
export function startChild(module: string, args: readonly string[]): ChildProcess {
  const child = fork(new URL(module, import.meta.url), args, {
    cwd: new URL('..', import.meta.url),
    execArgv: ['--conditions=@raftkit/source', '--import', 'tsx'],
  })
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill('SIGKILL')
    await exited
  })
  return child
}

/** The next message of a child; rejects when it ends without one. */
export function messageFrom(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const onMessage = (message: unknown) => {
      child.off('exit', onExit)
      resolve(message)
    }
    const onExit = (code: number | null, signal: string | null) => {
      child.off('message', onMessage)
      reject(new Error(`the child ended with ${code ?? signal} and no message`))
    }
    child.once('message', onMessage)
    child.once('exit', onExit)
  })
}
