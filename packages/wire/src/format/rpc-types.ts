import type { ForwardKind, RpcType } from '@raftkit/interface'

/** The byte that starts a request. 0x80 and above are raftkit's own: hashicorp/raft closes the connection on them. */
const BYTES: Readonly<Record<RpcType, number>> = {
  'append-entries': 0x00,
  'request-vote': 0x01,
  'install-snapshot': 0x02,
  'timeout-now': 0x03,
  'request-pre-vote': 0x04,
  forward: 0x80,
}

const TYPES: ReadonlyMap<number, RpcType> = new Map([
  [BYTES['append-entries'], 'append-entries'],
  [BYTES['request-vote'], 'request-vote'],
  [BYTES['install-snapshot'], 'install-snapshot'],
  [BYTES['timeout-now'], 'timeout-now'],
  [BYTES['request-pre-vote'], 'request-pre-vote'],
  [BYTES.forward, 'forward'],
])

/** Kinds of forwarded requests by their numbers, from 1 on. */
export const FORWARD_KINDS: readonly ForwardKind[] = ['read-index']

/** The first byte of a request of this type. */
export function byteOfRpc(type: RpcType): number {
  return BYTES[type]
}

/** The type of the request that starts with this byte; undefined when there is none. */
export function rpcOfByte(byte: number): RpcType | undefined {
  return TYPES.get(byte)
}
