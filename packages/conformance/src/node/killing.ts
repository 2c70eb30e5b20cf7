import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Kill, KillOrder } from '../kill.ts'
import { ACKNOWLEDGEMENTS } from './doomed.ts'

/** How {@link killing} runs a process and opens what it left. */
export interface KillingOptions<S> {
  /** A program that calls `runUntilKilled`. */
  readonly program: URL
  /** Options of `node` in front of the program, such as `['--import', 'tsx']`. Default none. */
  readonly nodeOptions?: readonly string[]
  /** An empty directory for each process. */
  newDirectory(): Promise<string>
  /** Opens the store in a directory. */
  open(directory: string): Promise<S>
}

/** The `kill` hook of a store that lives in a directory. */
export function killing<S>(options: KillingOptions<S>): Kill<S> {
  return async (order) => {
    const directory = await options.newDirectory()
    const diskCalls = await runKilled(options, directory, order)
    return { store: await options.open(directory), acknowledged: diskCalls.length, diskCalls }
  }
}

/** Runs the program until it is killed; gives what it wrote for each acknowledged step. */
async function runKilled(
  { program, nodeOptions = [] }: KillingOptions<unknown>,
  directory: string,
  order: KillOrder,
): Promise<number[]> {
  const args = [...nodeOptions, fileURLToPath(program), directory, JSON.stringify(order)]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe', 'pipe'] })
  const [errors, acknowledgements] = [textOf(child.stdio[2]), textOf(child.stdio[ACKNOWLEDGEMENTS])]
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  if (signal !== 'SIGKILL')
    throw new Error(
      `${program.href} was to be killed by itself and ended with ${code ?? signal}:\n${errors()}`,
    )
  const lines = acknowledgements().split('\n').slice(0, -1)
  return lines.map(Number)
}

/** Collects a stream as text. */
function textOf(stream: unknown): () => string {
  let text = ''
  if (stream instanceof Readable)
    stream.setEncoding('utf8').on('data', (part: string) => (text += part))
  return () => text
}
