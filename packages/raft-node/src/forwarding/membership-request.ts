// Membership calls on their way to the leader: what is asked, in the form in which it travels, and who carries it out.
import {
  RaftError,
  type Index,
  type Outcome,
  type ServerAddress,
  type ServerId,
} from '@raftkit/interface'
import type { AddedServer, MembershipChange, MembershipResult, Raft } from '@raftkit/raft-core'
import type { WaitOptions } from '../deadline.ts'
import { messagePackCodec } from '../message-pack.ts'

/** How long a membership call waits when it does not say: milliseconds. A server that is added must catch up. */
export const DEFAULT_MEMBERSHIP_TIMEOUT_MS = 30_000

/** Limits of a membership call. */
export interface MembershipOptions extends WaitOptions {
  /**
   * Index of the configuration that the change is meant for: with another one in force, the call rejects with
   * `RAFT_CONFIGURATION_CHANGED`. Default: any.
   */
  readonly prevIndex?: Index
}

/** A membership call without its limits. */
export type MembershipRequest =
  | {
      readonly type: 'add-voter'
      readonly id: ServerId
      readonly address: ServerAddress
      readonly stage: boolean
      readonly prevIndex?: Index
    }
  | {
      readonly type: 'add-nonvoter'
      readonly id: ServerId
      readonly address: ServerAddress
      readonly prevIndex?: Index
    }
  | {
      readonly type: 'demote-voter' | 'remove-server'
      readonly id: ServerId
      readonly prevIndex?: Index
    }
  | {
      readonly type: 'change-membership'
      readonly change: MembershipChange
      readonly prevIndex?: Index
    }
  | {
      readonly type: 'replace-server'
      readonly id: ServerId
      readonly by: ReplacingServer
      readonly prevIndex?: Index
    }
  | { readonly type: 'transfer-leadership'; readonly to?: ServerId }

/** A server that takes the place of another one. */
export type ReplacingServer = Pick<AddedServer, 'id' | 'address'>

/** The calls of the server that {@link runMembershipRequest} makes. */
export type MembershipRaft = Pick<
  Raft<Uint8Array>,
  | 'addVoter'
  | 'addNonvoter'
  | 'demoteVoter'
  | 'removeServer'
  | 'changeMembership'
  | 'replaceServer'
  | 'transferLeadership'
>

/** Throws `RAFT_INVALID_ARGUMENT` for what has no encoding. */
export function encodeMembershipRequest(request: MembershipRequest): Uint8Array {
  return messagePackCodec.encode(request)
}

/** Carries out an encoded request on the leader. Gives the index of the configuration, 0 for a transfer. */
export async function runMembershipRequest(
  raft: MembershipRaft,
  body: Uint8Array,
  wait: WaitOptions,
): Promise<Index> {
  const request = decodeMembershipRequest(body)
  try {
    return await carryOut(raft, request, wait)
  } catch (error) {
    throw withKnownOutcome(error)
  }
}

async function carryOut(
  raft: MembershipRaft,
  request: MembershipRequest,
  wait: WaitOptions,
): Promise<Index> {
  if (request.type === 'transfer-leadership') {
    await raft.transferLeadership(request.to, wait)
    return 0
  }
  const { prevIndex } = request
  const options = prevIndex === undefined ? wait : { ...wait, prevIndex }
  return (await change(raft, request, options)).index
}

function change(
  raft: MembershipRaft,
  request: Exclude<MembershipRequest, { type: 'transfer-leadership' }>,
  options: MembershipOptions,
): Promise<MembershipResult> {
  switch (request.type) {
    case 'add-voter':
      return raft.addVoter(request.id, request.address, { ...options, stage: request.stage })
    case 'add-nonvoter':
      return raft.addNonvoter(request.id, request.address, options)
    case 'demote-voter':
      return raft.demoteVoter(request.id, options)
    case 'remove-server':
      return raft.removeServer(request.id, options)
    case 'change-membership':
      return raft.changeMembership(request.change, options)
    case 'replace-server':
      return raft.replaceServer(request.id, request.by, options)
  }
}

/** The form is checked here, ids and addresses by the server, in the same words as for a local call. */
function decodeMembershipRequest(body: Uint8Array): MembershipRequest {
  const request = messagePackCodec.decode(body)
  if (isRecord(request)) {
    const { type, stage, change, by } = request
    switch (type) {
      case 'add-voter':
        if (typeof stage === 'boolean') return request as MembershipRequest
        break
      case 'change-membership':
        if (isRecord(change)) return request as MembershipRequest
        break
      case 'replace-server':
        if (isRecord(by)) return request as MembershipRequest
        break
      case 'add-nonvoter':
      case 'demote-voter':
      case 'remove-server':
      case 'transfer-leadership':
        return request as MembershipRequest
    }
  }
  throw new RaftError(
    'RAFT_DECODE_FAILED',
    'A forwarded membership request is malformed. Do all nodes run the same version of @raftkit/raft-node?',
    { outcome: 'not-committed' },
  )
}

/** A transfer says no outcome: it was not begun when this server does not lead, and is open otherwise. */
function withKnownOutcome(error: unknown): unknown {
  if (!RaftError.is(error) || error.outcome !== undefined) return error
  const outcome: Outcome = RaftError.is(error, 'RAFT_NOT_LEADER') ? 'not-committed' : 'unknown'
  const { code, message, retryable, details, cause } = error
  return new RaftError(code, message, { retryable, details, cause, outcome })
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}
