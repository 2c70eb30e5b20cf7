import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { TcpTlsOptions } from '@raftkit/transport-tcp'

function pem(name: string): string {
  return readFileSync(fileURLToPath(new URL(`./fixtures/${name}.pem`, import.meta.url)), 'utf8')
}

function certified(name: string, ca = 'authority'): TcpTlsOptions {
  return { cert: pem(`${name}.cert`), key: pem(`${name}.key`), ca: pem(`${ca}.cert`) }
}

/** A server of the cluster, at 127.0.0.1, ::1 or localhost. */
export const member: TcpTlsOptions = certified('member')
/** Signed by the same authority, but for another host. */
export const elsewhere: TcpTlsOptions = certified('elsewhere')
/** Signed by the same authority, long ago. */
export const expired: TcpTlsOptions = certified('expired')
/** Signed by somebody else, trusts the authority. */
export const stranger: TcpTlsOptions = certified('stranger')
/** A member who trusts somebody else. */
export const mistaken: TcpTlsOptions = certified('member', 'other-authority')
