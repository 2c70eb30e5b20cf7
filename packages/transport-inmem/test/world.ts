// Two servers on a network in virtual time, and what tests send between them.

import { EntryBatch } from '@raftkit/interface'
import type {
  AppendEntriesRequest,
  InstallSnapshotRequest,
  RequestVoteRequest,
  RpcHandler,
  RpcHeader,
  RpcRequest,
  RpcResponse,
} from '@raftkit/interface'
import { InmemNetwork } from '../src/index.ts'
import type { InmemNetworkOptions, InmemTransport } from '../src/index.ts'
import { seeded, VirtualClock } from './virtual-clock.ts'

export const header: RpcHeader = { protocolVersion: 3, id: 'a', address: 'a:1' }

/** Whom to call. */
export const peers = {
  a: { id: 'a', address: 'a:1' },
  b: { id: 'b', address: 'b:1' },
  c: { id: 'c', address: 'c:1' },
} as const

export interface World {
  readonly clock: VirtualClock
  readonly network: InmemNetwork
  readonly a: InmemTransport
  readonly b: InmemTransport
  /** What b received, with the time. */
  readonly log: { readonly at: number; readonly request: RpcRequest }[]
}

/** A network with servers a and b; b answers everything and keeps a log. Time starts at 0. */
export function world(options: InmemNetworkOptions = {}): World {
  const clock = new VirtualClock()
  const start = clock.now()
  const network = new InmemNetwork({ clock, random: seeded(1), ...options })
  const [a, b] = [network.transport('a:1'), network.transport('b:1')]
  const log: World['log'] = []
  b.setHandler((request) => {
    log.push({ at: clock.now() - start, request })
    return answerTo(request)
  })
  return { clock, network, a, b, log }
}

export function vote(term: number): RequestVoteRequest {
  const last = { lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false }
  return { type: 'request-vote', header, term, ...last }
}

/** An append with one entry of `size` bytes. */
export function append(term: number, size = 1): AppendEntriesRequest {
  const bytes = new Uint8Array(size).fill(term)
  const entries = [new EntryBatch(1, bytes, [0, size], [term], [0])]
  const previous = { prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 }
  return { type: 'append-entries', header, term, ...previous, entries }
}

export function snapshot(size: number): InstallSnapshotRequest {
  return {
    type: 'install-snapshot',
    header,
    snapshotVersion: 1,
    term: 1,
    lastLogIndex: 1,
    lastLogTerm: 1,
    peers: new Uint8Array(0),
    configuration: new Uint8Array(0),
    configurationIndex: 1,
    size,
  }
}

export function answerTo(request: RpcRequest): RpcResponse {
  switch (request.type) {
    case 'append-entries': {
      const flags = { success: true, noRetryBackoff: false }
      return { type: 'append-entries', header, term: request.term, lastLogIndex: 0, ...flags }
    }
    case 'request-vote':
    case 'request-pre-vote':
      return { type: request.type, header, term: request.term, granted: true }
    case 'timeout-now':
      return { type: 'timeout-now', header }
    case 'forward':
      return { type: 'forward', header, payload: request.payload }
    case 'install-snapshot':
      return { type: 'install-snapshot', header, term: request.term, success: true }
  }
}

/** Never answers. */
export const silent: RpcHandler = () => new Promise(() => {})

export function termOf(message: RpcRequest): number {
  return 'term' in message ? message.term : 0
}

/** How a promise ended, as far as it has: its value, the code of its error, or 'pending'. */
export interface Outcome {
  state: string
}

/** Follows a promise without waiting for it. */
export function follow(promise: Promise<unknown>): Outcome {
  const outcome: Outcome = { state: 'pending' }
  promise.then(
    () => (outcome.state = 'resolved'),
    (error: unknown) => {
      const code =
        typeof error === 'object' && error !== null && 'code' in error ? error.code : error
      outcome.state = String(code)
    },
  )
  return outcome
}
