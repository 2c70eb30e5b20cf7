// What stands beside a command of a session in the log: 32 bytes in the entry's extensions. The command itself stays
// as it is, and an entry without such a header is a plain command: logs of before sessions hold nothing else.
import type { Index } from '@raftkit/interface'
import { sessionLimitProblems, type SessionLimits } from './session-limits.ts'

/** Bytes of every header. They count towards the size of the command (`maxCommandBytes`). */
export const SESSION_HEADER_BYTES = 32

/** Opens a session. Its id is the index of the entry that does. */
export interface RegisterHeader {
  readonly type: 'register'
  /** A random number that the session's commands repeat, so that an index that is given twice is no other's session. */
  readonly nonce: number
  readonly limits: SessionLimits
}

/** One command of a session. */
export interface SessionCommandHeader {
  readonly type: 'command'
  readonly session: Index
  readonly nonce: number
  /** Counts the commands of the session from 1. They may reach the log in any order within the session's window. */
  readonly sequence: number
  /** The client waits for no command below this number any more. At most `sequence`. */
  readonly answeredBelow: number
}

export type SessionHeader = RegisterHeader | SessionCommandHeader

// "RKS" and the version of the form.
const mark = [0x52, 0x4b, 0x53, 0x01] as const
const types = { register: 1, command: 2 } as const

export function encodeSessionHeader(header: SessionHeader): Uint8Array {
  const bytes = new Uint8Array(SESSION_HEADER_BYTES)
  bytes.set(mark)
  bytes[4] = types[header.type]
  const view = new DataView(bytes.buffer)
  if (header.type === 'register') {
    const { sessionTimeoutMs, maxSessions, maxCachedResponses, maxCachedResponseBytes } =
      header.limits
    setUint64(view, 8, header.nonce)
    view.setUint32(16, sessionTimeoutMs)
    view.setUint32(20, maxSessions)
    view.setUint32(24, maxCachedResponses)
    view.setUint32(28, maxCachedResponseBytes)
    return bytes
  }
  const behind = header.sequence - header.answeredBelow
  view.setUint8(5, behind >>> 16)
  view.setUint16(6, behind & 0xffff)
  setUint64(view, 8, header.session)
  setUint64(view, 16, header.nonce)
  setUint64(view, 24, header.sequence)
  return bytes
}

/**
 * The header of an entry; undefined for a plain command, `malformed` for what begins as a header and is none that this
 * version knows. Never throws: every server must get past the same entry.
 */
export function decodeSessionHeader(
  bytes: Uint8Array | undefined,
): SessionHeader | 'malformed' | undefined {
  if (bytes === undefined || bytes.byteLength < 3) return undefined
  for (let i = 0; i < 3; i += 1) if (bytes[i] !== mark[i]) return undefined
  if (bytes.byteLength !== SESSION_HEADER_BYTES || bytes[3] !== mark[3]) return 'malformed'
  const view = new DataView(bytes.buffer, bytes.byteOffset, SESSION_HEADER_BYTES)
  switch (bytes[4]) {
    case types.register:
      return registerHeader(view)
    case types.command:
      return commandHeader(view)
    default:
      return 'malformed'
  }
}

function registerHeader(view: DataView): RegisterHeader | 'malformed' {
  const nonce = getUint64(view, 8)
  const limits: SessionLimits = {
    sessionTimeoutMs: view.getUint32(16),
    maxSessions: view.getUint32(20),
    maxCachedResponses: view.getUint32(24),
    maxCachedResponseBytes: view.getUint32(28),
  }
  const isUsable = Number.isSafeInteger(nonce) && sessionLimitProblems(limits).next().done === true
  return isUsable ? { type: 'register', nonce, limits } : 'malformed'
}

function commandHeader(view: DataView): SessionCommandHeader | 'malformed' {
  const behind = view.getUint8(5) * 65_536 + view.getUint16(6)
  const session = getUint64(view, 8)
  const nonce = getUint64(view, 16)
  const sequence = getUint64(view, 24)
  const areSafe =
    Number.isSafeInteger(session) && Number.isSafeInteger(nonce) && Number.isSafeInteger(sequence)
  if (!areSafe || sequence - behind < 1) return 'malformed'
  return { type: 'command', session, nonce, sequence, answeredBelow: sequence - behind }
}

/** Writes a safe integer in 8 bytes, most significant first. */
export function setUint64(view: DataView, at: number, value: number): void {
  view.setUint32(at, Math.floor(value / 2 ** 32))
  view.setUint32(at + 4, value % 2 ** 32)
}

/** Reads 8 bytes, most significant first; not a safe integer when they hold more. */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}
