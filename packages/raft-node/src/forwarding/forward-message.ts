// The payload of a forward RPC between two nodes: several requests in one message, and their results in the same order.
import { RaftError, messageOf, type Outcome, type RaftErrorCode } from '@raftkit/interface'
import { messagePackCodec } from '../message-pack.ts'

/**
 * What is asked of the leader: run a command, answer a query, tell the read index (dissertation §6.4), change members,
 * run a command of a client session (its body begins with the session header).
 */
export type ForwardKind = 'command' | 'query' | 'read-index' | 'membership' | 'session-command'

/** One request on its way to the leader. */
export interface ForwardedRequest {
  readonly kind: ForwardKind
  readonly body: Uint8Array
  /** Milliseconds that its caller still waits. */
  readonly remainingMs: number
}

/** What became of one request. */
export type ForwardedResult =
  | { readonly ok: true; readonly body: Uint8Array }
  | { readonly ok: false; readonly error: RaftError }

const version = 1
const kinds: readonly ForwardKind[] = [
  'command',
  'query',
  'read-index',
  'membership',
  'session-command',
]
const outcomes: readonly Outcome[] = ['not-committed', 'unknown', 'committed']

export function encodeForward(requests: readonly ForwardedRequest[]): Uint8Array {
  return messagePackCodec.encode([
    version,
    requests.map(({ kind, body, remainingMs }) => [
      kinds.indexOf(kind),
      body,
      Math.ceil(remainingMs),
    ]),
  ])
}

/** Throws `RAFT_DECODE_FAILED` for anything that {@link encodeForward} does not make. */
export function decodeForward(payload: Uint8Array): ForwardedRequest[] {
  return decodeList(payload, 'request', (item) => {
    const [kind, body, remainingMs] = item
    const name = typeof kind === 'number' ? kinds[kind] : undefined
    if (name === undefined || !(body instanceof Uint8Array) || !isPositive(remainingMs))
      throw malformed('request')
    return { kind: name, body, remainingMs }
  })
}

export function encodeResults(results: readonly ForwardedResult[]): Uint8Array {
  return messagePackCodec.encode([
    version,
    results.map((result) => (result.ok ? [0, result.body] : [1, plainError(result.error)])),
  ])
}

/** Throws `RAFT_DECODE_FAILED` for anything that {@link encodeResults} does not make. */
export function decodeResults(payload: Uint8Array): ForwardedResult[] {
  return decodeList(payload, 'result', ([mark, content]) => {
    if (mark === 0 && content instanceof Uint8Array) return { ok: true, body: content }
    if (mark === 1 && Array.isArray(content)) return { ok: false, error: errorOf(content) }
    throw malformed('result')
  })
}

function decodeList<T>(
  payload: Uint8Array,
  what: string,
  decodeItem: (item: readonly unknown[]) => T,
): T[] {
  let message: unknown
  try {
    message = messagePackCodec.decode(payload)
  } catch (error) {
    throw malformed(what, error)
  }
  if (!Array.isArray(message) || message[0] !== version || !Array.isArray(message[1]))
    throw malformed(what)
  return message[1].map((item: unknown) => {
    if (!Array.isArray(item)) throw malformed(what)
    return decodeItem(item)
  })
}

function plainError(error: RaftError): readonly unknown[] {
  const { code, message, retryable, outcome, details } = error
  return [code, message, retryable, outcome ?? null, plainDetails(details)]
}

/** Details are for people and may hold anything; what cannot travel stays behind. */
function plainDetails(details: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const plain: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(details)) {
    try {
      messagePackCodec.encode({ [key]: value })
      plain[key] = value
    } catch {
      plain[key] = messageOf(value)
    }
  }
  return plain
}

function errorOf(fields: readonly unknown[]): RaftError {
  const [code, message, retryable, outcome, details] = fields
  if (typeof code !== 'string' || !/^RAFT_[A-Z_]+$/.test(code) || typeof message !== 'string')
    throw malformed('result')
  const known = outcomes.find((candidate) => candidate === outcome)
  return new RaftError(code as RaftErrorCode, message, {
    retryable: retryable === true,
    ...(known !== undefined && { outcome: known }),
    ...(typeof details === 'object' && details !== null && { details: { ...details } }),
  })
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function malformed(what: string, cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_DECODE_FAILED',
    `A forwarded ${what} is malformed. Do all nodes run the same version of @raftkit/raft-node?`,
    { cause },
  )
}
