import type { Clock } from '@raftkit/interface'
import { Countdown } from '../timing/countdown.ts'
import type { NetworkLimits } from '../options.ts'

/** Why a connection ran out of time. */
export interface Overdue {
  readonly message: string
  /** It is the peer's good right, not a sign of trouble. */
  readonly expected: boolean
}

type Phase = 'nothing' | 'first-byte' | 'message' | 'snapshot' | 'answers' | 'idle'

/**
 * The time limits of an accepted connection. One of them runs at a time: whatever the other side has to do next.
 * None runs while this server is the one that is slow.
 */
export class InboundWatch {
  readonly #limits: NetworkLimits
  readonly #countdown: Countdown
  #phase: Phase = 'nothing'
  #requests = 0
  #snapshotBytes = 0

  constructor(clock: Clock, limits: NetworkLimits, onOverdue: (overdue: Overdue) => void) {
    this.#limits = limits
    this.#countdown = new Countdown(clock, () => onOverdue(this.#overdue()))
  }

  /** Nothing is expected of the other side. */
  nothing(): void {
    this.#phase = 'nothing'
    this.#countdown.pause()
  }

  /** It shall send its first byte. */
  firstByte(): void {
    this.#enter('first-byte', 0, this.#limits.firstByteTimeoutMs)
  }

  /** It shall send the rest of the request that comes after `requests` whole ones. */
  message(requests: number): void {
    this.#enter('message', requests, this.#limits.messageTimeoutMs)
  }

  /** It shall go on sending the snapshot. */
  snapshot(): void {
    this.#enter('snapshot', 0, this.#limits.messageTimeoutMs)
  }

  /** That many bytes of the snapshot came. */
  snapshotBytes(byteLength: number): void {
    this.#snapshotBytes += byteLength
    if (this.#snapshotBytes < this.#limits.snapshotProgressBytes) return
    this.#snapshotBytes = 0
    if (this.#phase === 'snapshot') this.#countdown.start(this.#limits.messageTimeoutMs)
  }

  /** It shall take the answers that wait for it. */
  answersTaken(): void {
    this.#enter('answers', 0, this.#limits.messageTimeoutMs)
  }

  /** It may send another request after `requests` of them, some day. */
  idle(requests: number): void {
    if (this.#limits.idleConnectionTimeoutMs === 0) this.nothing()
    else this.#enter('idle', requests, this.#limits.idleConnectionTimeoutMs)
  }

  /** The connection is gone. */
  end(): void {
    this.#countdown.end()
  }

  #enter(phase: Phase, requests: number, timeoutMs: number): void {
    if (phase === this.#phase && requests === this.#requests) return
    this.#phase = phase
    this.#requests = requests
    this.#snapshotBytes = 0
    this.#countdown.start(timeoutMs)
  }

  #overdue(): Overdue {
    const limits = this.#limits
    switch (this.#phase) {
      case 'first-byte':
        return {
          message: `it sent nothing within firstByteTimeoutMs ${limits.firstByteTimeoutMs}`,
          expected: true,
        }
      case 'idle':
        return {
          message: `it sent no request within idleConnectionTimeoutMs ${limits.idleConnectionTimeoutMs}`,
          expected: true,
        }
      case 'snapshot':
        return {
          message: `it sent less than ${limits.snapshotProgressBytes} bytes of a snapshot within messageTimeoutMs ${limits.messageTimeoutMs}`,
          expected: false,
        }
      case 'answers':
        return {
          message: `it did not take its answers within messageTimeoutMs ${limits.messageTimeoutMs}`,
          expected: false,
        }
      case 'message':
      case 'nothing':
        return {
          message: `its request was not whole within messageTimeoutMs ${limits.messageTimeoutMs}`,
          expected: false,
        }
    }
  }
}
