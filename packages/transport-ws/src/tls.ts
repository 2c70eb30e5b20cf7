import type { SecureContextOptions } from 'node:tls'
import type { Pem, WsTlsOptions } from './options.ts'

/** The part of the options that both ends of a connection share. */
export function secureContextOptions(tls: WsTlsOptions): SecureContextOptions {
  const { cert, key, ca, passphrase } = tls
  return {
    minVersion: tls.minVersion ?? 'TLSv1.3',
    ...(cert === undefined ? {} : { cert: pem(cert) }),
    ...(key === undefined ? {} : { key: pem(key) }),
    ...(ca === undefined ? {} : { ca: isOne(ca) ? pem(ca) : ca.map(pem) }),
    ...(passphrase === undefined ? {} : { passphrase }),
  }
}

function isOne(ca: Pem | readonly Pem[]): ca is Pem {
  return typeof ca === 'string' || ca instanceof Uint8Array
}

function pem(text: Pem): string | Buffer {
  return typeof text === 'string' ? text : Buffer.from(text)
}
