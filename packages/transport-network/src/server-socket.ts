// What stream layers on sockets have in common: how a server listens, and what of TLS is read from PEM.
import type { Server } from 'node:net'
import type { SecureContextOptions } from 'node:tls'
import { messageOf, RaftError } from '@raftkit/interface'
import type { ListenAddress } from './address.ts'

/** PEM text, or the bytes of such a file. */
export type Pem = string | Uint8Array

/** Who a server is, and whom it trusts. */
export interface TlsCredentials {
  /** PEM of this server's certificate, with what leads to the authority. */
  readonly cert?: Pem
  /** PEM of its private key. */
  readonly key?: Pem
  /** Passphrase of the key. */
  readonly passphrase?: string
  /** PEM of the authorities whose certificates are accepted. */
  readonly ca?: Pem | readonly Pem[]
  /** Oldest protocol version accepted. Default TLSv1.3. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}

/** The credentials as Node wants them, the same for both ends of a connection. */
export function secureContextOptions(tls: TlsCredentials): SecureContextOptions {
  const { cert, key, ca, passphrase } = tls
  return {
    minVersion: tls.minVersion ?? 'TLSv1.3',
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(ca === undefined ? {} : { ca: isOne(ca) ? pem(ca) : ca.map(pem) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

/** `RAFT_INVALID_CONFIG`: Node could not make anything of the credentials. */
export function unreadableCredentials(cause: unknown): RaftError {
  return new RaftError(
    'RAFT_INVALID_CONFIG',
    'tls: cert, key and ca could not be read together; give PEM text, and a key that belongs to the certificate',
    { cause },
  )
}

/** Makes the server listen. `bind` is what messages call the address. Rejects with `RAFT_LISTEN_FAILED`. */
export function listenAt(
  server: Server,
  { host, port }: ListenAddress,
  options: { readonly bind: string; readonly backlog: number },
): Promise<void> {
  const { bind, backlog } = options
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => reject(listenFailed(bind, error))
    server.once('error', onError)
    server.listen({ port, exclusive: true, backlog, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', onError)
      resolve()
    })
  })
}

function listenFailed(bind: string, cause: Error): RaftError {
  const code = 'code' in cause ? cause.code : undefined
  const advice =
    code === 'EADDRINUSE'
      ? 'another process (or this one) listens there; choose another port or stop it'
      : code === 'EADDRNOTAVAIL'
        ? 'no interface of this machine has that address; bind to one that it has and use advertise for the outside'
        : code === 'EACCES'
          ? 'this user may not listen there; choose a port above 1023'
          : messageOf(cause)
  return new RaftError('RAFT_LISTEN_FAILED', `cannot listen on ${bind}: ${advice}`, {
    cause,
    details: { bind, code },
  })
}

function isOne(ca: Pem | readonly Pem[]): ca is Pem {
  return typeof ca === 'string' || ca instanceof Uint8Array
}

function pem(text: Pem): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text)
}
