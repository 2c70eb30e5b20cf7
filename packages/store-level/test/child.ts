import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

/**
 * Runs a module of this folder in a process of its own, which ends with the test at the latest. `wrapper` is a command
 * that runs the command after it.
 */
export function startChild(
  module: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): ChildProcess {
  const path = fileURLToPath(new URL(module, import.meta.url))
  const node = [process.execPath, '--conditions=@raftkit/source', '--import', 'tsx', path]
  const [command, ...rest] = [...wrapper, ...node, ...args]
  const child = spawn(command!, rest, {
    cwd: new URL('..', import.meta.url),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
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
