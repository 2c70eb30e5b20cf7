// What a TCP stream layer can be told.
import type { Logger } from '@raftkit/interface'
import type { Pem, TlsCredentials } from '@raftkit/transport-network'
import type { PeerCertificate } from 'node:tls'

/** Mutual TLS: both ends show a certificate and both check the other's. */
export interface TcpTlsOptions extends TlsCredentials {
  /** PEM of this server's certificate, with what leads to the authority. */
  readonly cert: Pem
  /** PEM of its private key. */
  readonly key: Pem
  /** PEM of the authorities whose certificates are accepted, from either side. The system's are not. */
  readonly ca: Pem | readonly Pem[]
  /** Name that the certificate of a dialled server must be for. Default: the host that was dialled. */
  readonly serverName?: string
  /**
   * Last word on a certificate that the authority signed, on both sides: false refuses the connection. Use it when
   * the authority signs for others than the members of the cluster.
   */
  readonly authorizePeer?: (certificate: PeerCertificate, remoteAddress: string) => boolean
  /** Milliseconds for the handshake of an accepted connection. Default 5000. */
  readonly handshakeTimeoutMs?: number
  /** Accepted connections in the handshake at once; beyond it the oldest is ended. Default 256. */
  readonly maxHandshakes?: number
}

/** How a TCP stream layer works. */
export interface TcpStreamOptions {
  /** Where to listen, `host:port`; IPv6 in brackets. Port 0 takes any free port if `advertise` is absent. */
  readonly bind: string
  /** The address for the others, `host:port`. Default: `bind`, which then must name one address of this machine. */
  readonly advertise?: string
  /** Mutual TLS. Default: plain TCP, in which everyone who reaches the port is a trusted server. */
  readonly tls?: TcpTlsOptions
  /** Milliseconds of silence after which the system asks whether the other side is still there. Default 15 000. */
  readonly keepAliveMs?: number
  /** Bytes waiting to be sent on one connection above which it is not writable. Default 1 MiB, at least 64 KiB. */
  readonly sendBufferBytes?: number
  /** Connections that the system may hold before they are accepted. Default 511. */
  readonly backlog?: number
  /** Default: silent. */
  readonly logger?: Logger
}
