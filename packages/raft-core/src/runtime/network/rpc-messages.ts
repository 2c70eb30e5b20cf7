// Between the messages of consensus and those of the wire: a header is added or taken off.
import {
  type DiskId,
  isHeartbeat,
  PROTOCOL_VERSION,
  RaftError,
  type RpcHeader,
  type RpcRequest,
  type RpcResponse,
} from '@raftkit/interface'
import { decodeConfiguration } from '@raftkit/wire'
import type { Answer, ControlRequest, ReceivedRequest, Sender } from '../../consensus/messages.ts'
import type { CallType, RequestOf } from '@raftkit/interface'
import { type EntryLimits, spanOf } from '../log/received-entries.ts'

/** The one snapshot version that is read and written; hashicorp/raft's. */
export const SNAPSHOT_VERSION = 1

/** The level of raftkit's extensions that this version understands. */
const EXTENSION_LEVEL = 1

/** The header of everything that a server sends. */
export function headerOf(id: string, address: string, diskId?: DiskId): RpcHeader {
  const header = { protocolVersion: PROTOCOL_VERSION, id, address, extensionLevel: EXTENSION_LEVEL }
  return diskId === undefined ? header : { ...header, diskId }
}

/** True when the other side understands raftkit's extensions. */
export function isRaftkit(header: RpcHeader): boolean {
  return header.extensionLevel !== undefined && header.extensionLevel >= 1
}

/** Refuses a protocol version as hashicorp/raft does: the own and the one before are served. */
export function checkProtocol(header: RpcHeader): void {
  const { protocolVersion } = header
  if (protocolVersion >= PROTOCOL_VERSION - 1 && protocolVersion <= PROTOCOL_VERSION) return
  throw new RaftError(
    'RAFT_UNSUPPORTED_PROTOCOL',
    'operation not supported with current protocol version',
    { details: { protocolVersion } },
  )
}

/** A request as consensus takes it. Throws when its content cannot be decoded or is beyond a limit. */
export function receivedRequest(
  request: Exclude<RpcRequest, { type: 'forward' }>,
  limits: EntryLimits,
): ReceivedRequest {
  const from: Sender = {
    id: request.header.id,
    address: request.header.address,
    isRaftkit: isRaftkit(request.header),
    diskId: request.header.diskId,
  }
  switch (request.type) {
    case 'append-entries': {
      const { term, prevLogIndex, prevLogTerm, leaderCommit } = request
      const entries = spanOf(request, limits)
      const heartbeat = isHeartbeat(request)
      const received = {
        type: request.type,
        from,
        term,
        heartbeat,
        prevLogIndex,
        prevLogTerm,
        leaderCommit,
      }
      return entries === undefined ? received : { ...received, entries }
    }
    case 'request-vote': {
      const { type, term, lastLogIndex, lastLogTerm, leadershipTransfer } = request
      return { type, from, term, lastLogIndex, lastLogTerm, leadershipTransfer }
    }
    case 'request-pre-vote': {
      const { type, term, lastLogIndex, lastLogTerm } = request
      return { type, from, term, lastLogIndex, lastLogTerm }
    }
    case 'install-snapshot':
      return receivedSnapshot(request, from)
    case 'timeout-now':
      return { type: 'timeout-now', from, term: request.term }
  }
}

function receivedSnapshot(
  request: Extract<RpcRequest, { type: 'install-snapshot' }>,
  from: Sender,
): ReceivedRequest {
  if (request.snapshotVersion !== SNAPSHOT_VERSION)
    throw new RaftError(
      'RAFT_UNSUPPORTED_PROTOCOL',
      `unsupported snapshot version ${request.snapshotVersion}`,
    )
  const { term, lastLogIndex, lastLogTerm, configurationIndex } = request
  const configuration = decodeConfiguration(request.configuration)
  return {
    type: 'install-snapshot',
    from,
    term,
    snapshot: {
      index: lastLogIndex,
      term: lastLogTerm,
      configuration: { configuration, index: configurationIndex },
    },
  }
}

/** The response that carries an answer. An answer of type `error` is thrown: it goes back as the RPC's error. */
export function responseOf(answer: Answer, header: RpcHeader): RpcResponse {
  switch (answer.type) {
    case 'append-entries':
    case 'request-vote':
    case 'request-pre-vote':
    case 'install-snapshot':
      return { ...answer, header }
    case 'timeout-now':
      return { type: 'timeout-now', header }
    case 'error':
      throw new RaftError('RAFT_REMOTE_ERROR', answer.message)
  }
}

/** The answer in a response. */
export function answerOf(response: RpcResponse): Answer {
  switch (response.type) {
    case 'append-entries': {
      const { type, term, success, lastLogIndex, noRetryBackoff, conflict } = response
      const answer = { type, term, success, lastLogIndex, noRetryBackoff }
      return conflict === undefined ? answer : { ...answer, conflict }
    }
    case 'request-vote':
    case 'request-pre-vote':
      return { type: response.type, term: response.term, granted: response.granted }
    case 'install-snapshot':
      return { type: response.type, term: response.term, success: response.success }
    case 'timeout-now':
      return { type: 'timeout-now' }
    case 'forward':
      return { type: 'error', message: 'unexpected response' }
  }
}

/** The request that carries a control message. */
export function requestOf(
  control: ControlRequest,
  header: RpcHeader,
): RequestOf<Exclude<CallType, 'forward'>> {
  switch (control.type) {
    case 'heartbeat':
      return {
        type: 'append-entries',
        header,
        term: control.term,
        prevLogIndex: 0,
        prevLogTerm: 0,
        leaderCommit: 0,
        entries: null,
      }
    case 'timeout-now':
    case 'request-vote':
    case 'request-pre-vote':
      return { ...control, header }
  }
}
