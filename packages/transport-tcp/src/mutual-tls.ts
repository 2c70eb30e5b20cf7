import { RaftError } from '@raftkit/interface'
import { secureContextOptions, unreadableCredentials } from '@raftkit/transport-network'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket } from 'node:tls'
import type { TcpTlsOptions } from './options.ts'

/** Checks that certificate, key and authorities are there and fit. Throws `RAFT_INVALID_CONFIG`. */
export function checkTls(tls: TcpTlsOptions): void {
  const missing = (['cert', 'key', 'ca'] as const).filter(
    (name) => tls[name] === undefined || tls[name].length === 0,
  )
  if (missing.length > 0)
    throw new RaftError(
      'RAFT_INVALID_CONFIG',
      `tls needs ${missing.join(', ')}: each server shows a certificate (cert, key) and checks the others' against ca`,
      { details: { missing } },
    )
  try {
    createSecureContext(secureContextOptions(tls))
  } catch (error) {
    throw unreadableCredentials(error)
  }
}

/** What `authorizePeer` says of the other side of a finished handshake. */
export function isAuthorized(tls: TcpTlsOptions, socket: Socket, remoteAddress: string): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false
  return tls.authorizePeer?.(socket.getPeerCertificate(), remoteAddress) ?? true
}
