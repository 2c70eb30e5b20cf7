// The certificates of the TLS tests.
import { readFileSync } from 'node:fs'

const pem = (name: string) => readFileSync(new URL(`fixtures/${name}.pem`, import.meta.url), 'utf8')

const identity = (name: string, authority: string) => ({
  cert: pem(`${name}.cert`),
  key: pem(`${name}.key`),
  ca: pem(`${authority}.cert`),
})

/** A server of the cluster, at 127.0.0.1. */
export const member = identity('member', 'authority')
/** Signed by the same authority, for another host. */
export const elsewhere = identity('elsewhere', 'authority')
/** Trusts the cluster's authority, but was signed by another. */
export const stranger = identity('stranger', 'authority')
