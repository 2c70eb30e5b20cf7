import type { Digest, Page } from './kv-machine.ts'
import type { Status } from './status.ts'

/**
 * What became of a write. `acknowledged`: it is durable on a majority. `refused`: it did not happen and never
 * will. `unknown`: it may have happened, or may still happen.
 */
export type WriteOutcome = 'acknowledged' | 'refused' | 'unknown'

/** Talks to one node over HTTP. */
export class KvClient {
  readonly url: string
  readonly #timeoutMs: number

  constructor(url: string, timeoutMs = 5000) {
    this.url = url
    this.#timeoutMs = timeoutMs
  }

  /** Writes one key. Never rejects. */
  async put(key: string, value: string): Promise<WriteOutcome> {
    try {
      const response = await this.#fetch(`/kv/${encodeURIComponent(key)}`, {
        method: 'PUT',
        body: value,
      })
      const body: unknown = await response.json()
      if (response.ok) return 'acknowledged'
      return hasOutcome(body, 'not-committed') ? 'refused' : 'unknown'
    } catch (error) {
      return neverArrived(error) ? 'refused' : 'unknown'
    }
  }

  /** The node's status, or undefined when it does not answer. */
  async status(): Promise<Status | undefined> {
    try {
      return (await (await this.#fetch('/status')).json()) as Status
    } catch {
      return undefined
    }
  }

  /** Whether the node has a leader and has caught up with it. */
  async ready(): Promise<boolean> {
    try {
      const response = await this.#fetch('/ready')
      await response.body?.cancel()
      return response.ok
    } catch {
      return false
    }
  }

  /** Fingerprint of this node's own state. */
  async digest(): Promise<Digest> {
    return (await (await this.#fetch('/digest')).json()) as Digest
  }

  /** Everything in this node's own state. */
  async dump(): Promise<Map<string, string>> {
    const values = new Map<string, string>()
    let after = ''
    for (;;) {
      const path = `/kv?consistency=stale&limit=1000&after=${encodeURIComponent(after)}`
      const page = (await (await this.#fetch(path)).json()) as Page
      for (const [key, value] of page.entries) values.set((after = key), value)
      if (!page.more) return values
    }
  }

  #fetch(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}${path}`, { ...init, signal: AbortSignal.timeout(this.#timeoutMs) })
  }
}

function hasOutcome(body: unknown, outcome: string): boolean {
  return typeof body === 'object' && body !== null && 'outcome' in body && body.outcome === outcome
}

/** Nobody listened there, so nobody read the request. */
function neverArrived(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && cause.code === 'ECONNREFUSED'
}
