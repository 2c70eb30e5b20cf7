import { RaftError, type Random } from '@raftkit/interface'
import type { Deadline } from '../deadline.ts'
import { decodeIndex } from '../forwarding/leader-service.ts'
import type { Router } from '../forwarding/router.ts'
import { systemRandom } from '../system.ts'
import { withOutcome } from '../with-outcome.ts'
import { ClientSession } from './client-session.ts'
import { encodeSessionHeader, SESSION_HEADER_BYTES } from './session-header.ts'
import type { SessionLimits } from './session-limits.ts'
import { openSessionResponse } from './session-response.ts'

/**
 * Has commands applied exactly once: under a session of this client, so that one whose answer was lost is sent again.
 * The session is registered with the first command, and anew when the servers have forgotten it.
 */
export class SessionClient {
  readonly #router: Pick<Router, 'route' | 'unreached'>
  readonly #limits: SessionLimits
  readonly #random: Random
  #session: ClientSession | undefined
  #registration: Promise<ClientSession> | undefined

  constructor(
    router: Pick<Router, 'route' | 'unreached'>,
    limits: SessionLimits,
    random: Random = systemRandom,
  ) {
    this.#router = router
    this.#limits = limits
    this.#random = random
  }

  /** Resolves with the state machine's response. */
  async apply(command: Uint8Array, deadline: Deadline): Promise<Uint8Array> {
    for (;;) {
      const session = this.#session ?? (await this.#registered(deadline))
      const sequence = session.take() ?? (await this.#waitedFor(session, deadline))
      const delivery = { isUncertain: false }
      try {
        const request = joined(session.header(sequence), command)
        const route = this.#router.route('session-command', request, deadline, delivery)
        return openSessionResponse(await route)
      } catch (error) {
        if (!RaftError.is(error, 'RAFT_SESSION_EXPIRED')) throw error
        if (this.#session === session) this.#session = undefined
        if (delivery.isUncertain) throw error
        // Sent once and refused: it was never applied, so a new session may have it.
        if (deadline.passed) throw withOutcome(error, 'not-committed', true)
      } finally {
        session.done(sequence)
      }
    }
  }

  async #waitedFor(session: ClientSession, deadline: Deadline): Promise<number> {
    for (;;) {
      const sequence = session.take()
      if (sequence !== undefined) return sequence
      await session.whenOpen(deadline)
      const isGivenUp = deadline.passed || deadline.signal?.aborted === true
      if (!isGivenUp) continue
      session.wakeWaiting()
      deadline.check('not-committed')
      throw deadline.expiry('not-committed', 'Waiting for earlier commands to be answered')
    }
  }

  /** The session, registered by whoever needs it first. When that fails, the next one tries, for its own time. */
  async #registered(deadline: Deadline): Promise<ClientSession> {
    for (;;) {
      if (this.#session !== undefined) return this.#session
      const registration = this.#registration
      if (registration === undefined) return this.#register(deadline)
      await deadline.pause(deadline.remainingMs, (wake) => {
        registration.then(wake, wake)
        return () => {}
      })
      deadline.check('not-committed')
      if (this.#session === undefined && deadline.passed) throw this.#router.unreached(deadline)
    }
  }

  async #register(deadline: Deadline): Promise<ClientSession> {
    this.#registration = this.#openSession(deadline)
    try {
      this.#session = await this.#registration
      return this.#session
    } catch (error) {
      // What became of the registration is open; the command was not sent.
      throw RaftError.is(error) ? withOutcome(error, 'not-committed', error.retryable) : error
    } finally {
      this.#registration = undefined
    }
  }

  async #openSession(deadline: Deadline): Promise<ClientSession> {
    const nonce = randomNonce(this.#random)
    const limits = this.#limits
    const header = encodeSessionHeader({ type: 'register', nonce, limits })
    const answer = openSessionResponse(
      await this.#router.route('session-command', header, deadline),
    )
    return new ClientSession(decodeIndex(answer), nonce, limits.maxCachedResponses)
  }
}

function joined(header: Uint8Array, command: Uint8Array): Uint8Array {
  const request = new Uint8Array(SESSION_HEADER_BYTES + command.byteLength)
  request.set(header)
  request.set(command, SESSION_HEADER_BYTES)
  return request
}

/** A uniform safe integer. */
function randomNonce(random: Random): number {
  const high = Math.floor(random.next() * 2 ** 21)
  return high * 2 ** 32 + Math.floor(random.next() * 2 ** 32)
}
