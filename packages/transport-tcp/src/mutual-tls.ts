import { RaftError } from '@raftkit/interface'
import type { Socket } from 'node:net'
import { createSecureContext, TLSSocket, type SecureContextOptions } from 'node:tls'
import type { TcpTlsOptions } from './options.ts'

/** The part of the options that both ends of a connection share. */
export function secureContextOptions(tls: TcpTlsOptions): SecureContextOptions {
  const pem = (text: string | Uint8Array): string | Buffer =>
    typeof text === 'string' ? text : Buffer.from(text)
  const authorities = typeof tls.ca === 'string' || tls.ca instanceof Uint8Array ? [tls.ca] : tls.ca
  return {
    cert: pem(tls.cert),
    key: pem(tls.key),
    ca: authorities.map(pem),
    minVersion: tls.minVersion ?? 'TLSv1.3',
    ...(tls.passphrase === undefined ? {} : { passphrase: tls.passphrase }),
  }
}

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
    throw new RaftError(
      'RAFT_INVALID_CONFIG',
      'tls: cert, key and ca could not be read together; give PEM text, and a key that belongs to the certificate',
      { cause: error },
    )
  }
}

/** What `authorizePeer` says of the other side of a finished handshake. */
export function isAuthorized(tls: TcpTlsOptions, socket: Socket, remoteAddress: string): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false
  return tls.authorizePeer?.(socket.getPeerCertificate(), remoteAddress) ?? true
}
