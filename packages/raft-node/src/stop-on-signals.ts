import { messageOf } from '@raftkit/interface'
import type { StopOptions } from './raft-node.ts'

/** How {@link stopOnSignals} behaves. */
export interface StopOnSignalsOptions extends StopOptions {
  /** Default SIGTERM and SIGINT. */
  readonly signals?: readonly NodeJS.Signals[]
  /**
   * True: ends the process when the node has stopped, with code 0, or 1 when stopping failed. Default false: the
   * process ends by itself when nothing else keeps it, or the application ends it.
   */
  readonly exit?: boolean
  /** Called with the signal before the node stops: the place to stop taking requests. */
  readonly onSignal?: (signal: NodeJS.Signals) => void | Promise<void>
}

/** Anything that stops. */
interface Stoppable {
  stop(options?: StopOptions): Promise<void>
}

/**
 * Stops the node with a hand-over when the process is asked to end (SIGTERM, as sent by Kubernetes and systemd, or
 * Ctrl-C). The first signal begins; a second one ends the process as if this had not been called. Never ends the
 * process by itself unless `exit` says so. Returns the function that takes it back.
 */
export function stopOnSignals(node: Stoppable, options: StopOnSignalsOptions = {}): () => void {
  const { signals = ['SIGTERM', 'SIGINT'], exit = false, onSignal, ...stopOptions } = options
  const remove = (): void => {
    for (const signal of signals) process.off(signal, begin)
  }
  const begin = (signal: NodeJS.Signals): void => {
    remove()
    void stop(signal)
  }
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    try {
      try {
        await onSignal?.(signal)
      } finally {
        await node.stop(stopOptions)
      }
      if (exit) process.exit(0)
    } catch (error) {
      process.emitWarning(`stopping on ${signal} failed: ${messageOf(error)}`)
      process.exitCode = 1
      if (exit) process.exit(1)
    }
  }
  for (const signal of signals) process.on(signal, begin)
  return remove
}
