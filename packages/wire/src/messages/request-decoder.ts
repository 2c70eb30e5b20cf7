import type {
  ForwardRequest,
  InstallSnapshotRequest,
  RpcHeader,
  RpcRequest,
  RpcType,
} from '@raftkit/interface'
import { decodeFailed, limitExceeded } from '../reading/decode-error.ts'
import type { WireLimits } from '../reading/limits.ts'
import { readMessage, REQUEST_SHAPES } from './message-fields.ts'
import type { MessageFields } from './message-fields.ts'
import { ownedView } from '../reading/owned-view.ts'
import { FORWARD_KINDS, rpcOfByte } from '../format/rpc-types.ts'
import { Unpack } from '../reading/unpack.ts'
import { ValueStream } from '../reading/value-stream.ts'

const EMPTY = new Uint8Array(0)

/**
 * Takes the requests of one connection out of its bytes, however they are split. Push a chunk, then call `next`
 * until it gives undefined. Bytes that are no request throw `RAFT_DECODE_FAILED`, ones beyond a limit
 * `RAFT_LIMIT_EXCEEDED`; from then on every call throws the same error, and the connection must be closed.
 */
export class RequestDecoder {
  readonly #stream: ValueStream
  /** Type of the request whose map is being received. */
  #type: RpcType | undefined
  #snapshotRemaining = 0

  constructor(limits?: Partial<WireLimits>) {
    this.#stream = new ValueStream(limits)
  }

  /** Adds received bytes. They are not copied: the chunk must not be changed afterwards. */
  push(chunk: Uint8Array): void {
    this.#stream.push(chunk)
  }

  /**
   * The next request that is there whole. After an InstallSnapshot it gives undefined until `takeSnapshot` has
   * given every byte of the snapshot. Entries are views of the received bytes, or copies when they are
   * a small part of a large chunk.
   */
  next(): RpcRequest | undefined {
    return this.#stream.run(() => {
      if (this.#snapshotRemaining > 0) return undefined
      if (this.#type === undefined) {
        if (this.#stream.isEmpty) return undefined
        this.#type = typeOf(this.#stream.takeByte())
      }
      const large = this.#type === 'append-entries' || this.#type === 'forward'
      const bytes = this.#stream.takeValue(large ? 'maxMessageBytes' : 'maxControlBytes')
      if (bytes === undefined) return undefined
      const request = this.#decode(this.#type, bytes)
      this.#type = undefined
      return request
    })
  }

  /** No byte of a further request is there. */
  get isEmpty(): boolean {
    return this.#type === undefined && this.#stream.isEmpty
  }

  /** Bytes of the snapshot not yet taken; 0 when the last request was not an InstallSnapshot. */
  get snapshotRemaining(): number {
    return this.#snapshotRemaining
  }

  /** The next received bytes of the snapshot, a view; undefined when none are there or none remain. */
  takeSnapshot(): Uint8Array | undefined {
    return this.#stream.run(() => {
      if (this.#snapshotRemaining === 0 || this.#stream.isEmpty) return undefined
      const bytes = this.#stream.takeUpTo(this.#snapshotRemaining)
      this.#snapshotRemaining -= bytes.length
      return bytes
    })
  }

  #decode(type: RpcType, bytes: Uint8Array): RpcRequest {
    const fields = readMessage(new Unpack(bytes, this.#stream.limits), REQUEST_SHAPES[type])
    const request = requestOf(type, fields)
    if (request.type === 'install-snapshot') {
      const limit = this.#stream.limits.maxSnapshotBytes
      if (request.size > limit) throw limitExceeded('maxSnapshotBytes', limit, request.size)
      this.#snapshotRemaining = request.size
    }
    return request
  }
}

function typeOf(byte: number): RpcType {
  const type = rpcOfByte(byte)
  if (type === undefined) throw decodeFailed(`0x${byte.toString(16)} is no RPC type`)
  return type
}

function requestOf(type: RpcType, fields: MessageFields): RpcRequest {
  const { term, lastLogIndex, lastLogTerm } = fields
  const header = headerOf(fields)
  switch (type) {
    case 'append-entries': {
      const { prevLogIndex, prevLogTerm, leaderCommit, entries } = fields
      const first = entries?.[0]?.firstIndex
      if (first !== undefined && first !== prevLogIndex + 1)
        throw decodeFailed(`the first entry is ${first} and does not follow ${prevLogIndex}`)
      return { type, header, term, prevLogIndex, prevLogTerm, leaderCommit, entries }
    }
    case 'request-vote': {
      const { leadershipTransfer } = fields
      return { type, header, term, lastLogIndex, lastLogTerm, leadershipTransfer }
    }
    case 'request-pre-vote':
      return { type, header, term, lastLogIndex, lastLogTerm }
    case 'install-snapshot':
      return installSnapshotOf(header, fields)
    case 'timeout-now':
      // hashicorp/raft's has no term, and nobody leads in term 0.
      return term === 0 ? { type, header } : { type, header, term }
    case 'forward':
      return forwardOf(header, fields)
  }
}

function forwardOf(header: RpcHeader, fields: MessageFields): ForwardRequest {
  const request = { type: 'forward', header, payload: ownedView(fields.payload ?? EMPTY) } as const
  if (fields.kind === 0) return request
  const kind = FORWARD_KINDS[fields.kind - 1]
  if (kind === undefined)
    throw decodeFailed(`a forwarded request of the unknown kind ${fields.kind}`)
  return { ...request, kind }
}

function installSnapshotOf(header: RpcHeader, fields: MessageFields): InstallSnapshotRequest {
  return {
    type: 'install-snapshot',
    header,
    snapshotVersion: fields.snapshotVersion,
    term: fields.term,
    lastLogIndex: fields.lastLogIndex,
    lastLogTerm: fields.lastLogTerm,
    peers: ownedView(fields.peers ?? EMPTY),
    configuration: ownedView(fields.configuration ?? EMPTY),
    configurationIndex: fields.configurationIndex,
    size: fields.size,
  }
}

/** The header of a message. A sender from before headers had addresses gave its own as Leader or Candidate. */
export function headerOf(fields: MessageFields): RpcHeader {
  const { protocolVersion, id, extensionLevel, diskId } = fields
  const address = fields.address === '' ? fields.sender : fields.address
  return {
    protocolVersion,
    id,
    address,
    ...(extensionLevel === undefined ? {} : { extensionLevel }),
    ...(diskId === undefined ? {} : { diskId }),
  }
}
