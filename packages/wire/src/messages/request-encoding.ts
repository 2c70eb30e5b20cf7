import { RaftError } from '@raftkit/interface'
import type {
  AppendEntriesRequest,
  ForwardRequest,
  InstallSnapshotRequest,
  RequestPreVoteRequest,
  RequestVoteRequest,
  RpcHeader,
  RpcRequest,
  TimeoutNowRequest,
} from '@raftkit/interface'
import { Pack } from '../format/pack.ts'
import { byteOfRpc, FORWARD_KINDS } from '../format/rpc-types.ts'

/**
 * The request as hashicorp/raft sends it: the byte of its type and a map. Write the chunks as one, in order;
 * entries and forwarded payloads are the caller's bytes, not copies. The bytes of a snapshot follow afterwards.
 * Throws `RAFT_INVALID_ARGUMENT` when a number is not a safe integer or entries do not follow each other.
 */
export function encodeRequest(request: RpcRequest): Uint8Array[] {
  const pack = new Pack().byte(byteOfRpc(request.type))
  switch (request.type) {
    case 'append-entries':
      return appendEntries(pack, request)
    case 'request-vote':
      return [requestVote(pack, request).take()]
    case 'request-pre-vote':
      return [requestPreVote(pack, request).take()]
    case 'install-snapshot':
      return [installSnapshot(pack, request).take()]
    case 'timeout-now':
      return [timeoutNow(pack, request).take()]
    case 'forward':
      return forward(pack, request)
  }
}

function appendEntries(pack: Pack, request: AppendEntriesRequest): Uint8Array[] {
  const { header, entries } = request
  address(pack, 9, header).key('Entries')
  if (entries === null || entries.length === 0) {
    if (entries === null) pack.nil()
    else pack.array(0)
    return [appendEntriesTail(pack, request).take()]
  }
  let next = request.prevLogIndex
  for (const batch of entries) {
    if (batch.firstIndex !== next + 1)
      throw new RaftError(
        'RAFT_INVALID_ARGUMENT',
        `cannot encode AppendEntries: a batch starts at ${batch.firstIndex} and must start at ${next + 1}`,
      )
    next = batch.lastIndex
  }
  pack.array(next - request.prevLogIndex)
  return [
    pack.take(),
    ...entries.map((batch) => batch.view),
    appendEntriesTail(pack, request).take(),
  ]
}

function appendEntriesTail(pack: Pack, request: AppendEntriesRequest): Pack {
  const { header } = request
  idOf(pack, header)
    .key('Leader')
    .textOrNil(header.address)
    .key('LeaderCommitIndex')
    .uint(request.leaderCommit, 'leaderCommit')
    .key('PrevLogEntry')
    .uint(request.prevLogIndex, 'prevLogIndex')
    .key('PrevLogTerm')
    .uint(request.prevLogTerm, 'prevLogTerm')
  return versions(pack, header).key('Term').uint(request.term, 'term')
}

function requestVote(pack: Pack, request: RequestVoteRequest): Pack {
  const { header } = request
  address(pack, 8, header).key('Candidate').textOrNil(header.address)
  idOf(pack, header)
    .key('LastLogIndex')
    .uint(request.lastLogIndex, 'lastLogIndex')
    .key('LastLogTerm')
    .uint(request.lastLogTerm, 'lastLogTerm')
    .key('LeadershipTransfer')
    .bool(request.leadershipTransfer)
  return versions(pack, header).key('Term').uint(request.term, 'term')
}

function requestPreVote(pack: Pack, request: RequestPreVoteRequest): Pack {
  const { header } = request
  idOf(address(pack, 6, header), header)
    .key('LastLogIndex')
    .uint(request.lastLogIndex, 'lastLogIndex')
    .key('LastLogTerm')
    .uint(request.lastLogTerm, 'lastLogTerm')
  return versions(pack, header).key('Term').uint(request.term, 'term')
}

function timeoutNow(pack: Pack, { header, term }: TimeoutNowRequest): Pack {
  versions(idOf(address(pack, term === undefined ? 3 : 4, header), header), header)
  return term === undefined ? pack : pack.key('Term').uint(term, 'term')
}

function installSnapshot(pack: Pack, request: InstallSnapshotRequest): Pack {
  const { header } = request
  address(pack, 12, header)
    .key('Configuration')
    .rawOrNil(request.configuration)
    .key('ConfigurationIndex')
    .uint(request.configurationIndex, 'configurationIndex')
  idOf(pack, header)
    .key('LastLogIndex')
    .uint(request.lastLogIndex, 'lastLogIndex')
    .key('LastLogTerm')
    .uint(request.lastLogTerm, 'lastLogTerm')
    .key('Leader')
    .textOrNil(header.address)
    .key('Peers')
    .rawOrNil(request.peers)
  return versions(pack, header)
    .key('Size')
    .int(request.size, 'size')
    .key('SnapshotVersion')
    .int(request.snapshotVersion, 'snapshotVersion')
    .key('Term')
    .uint(request.term, 'term')
}

/** raftkit only. */
function forward(pack: Pack, request: ForwardRequest): Uint8Array[] {
  const { header, kind, payload } = request
  idOf(address(pack, kind === undefined ? 4 : 5, header), header)
  if (kind !== undefined) pack.key('Kind').uint(FORWARD_KINDS.indexOf(kind) + 1, 'kind')
  pack.key('Payload').rawHeader(payload.length)
  return [pack.take(), payload, versions(pack, header).take()]
}

// The header's fields stand among the others, wherever their names sort. These three write them; they are shared
// with the responses.

/** The start of the map: `size` fields, those of a raftkit sender more, and Addr, which sorts first everywhere. */
export function address(pack: Pack, size: number, header: RpcHeader): Pack {
  const { extensionLevel, diskId } = header
  const more = (extensionLevel === undefined ? 0 : 1) + (diskId === undefined ? 0 : 1)
  return pack
    .map(size + more)
    .key('Addr')
    .textOrNil(header.address)
}

export function idOf(pack: Pack, header: RpcHeader): Pack {
  return pack.key('ID').textOrNil(header.id)
}

/** ProtocolVersion and, from a raftkit sender, Raftkit and RaftkitDisk, which sort right after it. */
export function versions(pack: Pack, header: RpcHeader): Pack {
  const { protocolVersion, extensionLevel, diskId } = header
  pack.key('ProtocolVersion').int(protocolVersion, 'protocolVersion')
  if (extensionLevel !== undefined) pack.key('Raftkit').uint(extensionLevel, 'extensionLevel')
  if (diskId !== undefined) pack.key('RaftkitDisk').uint(diskId, 'diskId')
  return pack
}
