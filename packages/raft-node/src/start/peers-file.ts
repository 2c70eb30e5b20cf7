import { readFile } from 'node:fs/promises'
import { messageOf, RaftError, type Configuration } from '@raftkit/interface'
import { readConfigurationJson, readPeersJson } from '@raftkit/raft-core'

/**
 * Reads a `peers.json` for {@link recoverCluster}, in either of hashicorp/raft's forms: an array of
 * `{ id, address, non_voter? }`, or of addresses. Rejects with `RAFT_INVALID_CONFIGURATION` that names the file.
 */
export async function readPeersFile(path: string): Promise<Configuration> {
  try {
    const text = await readFile(path, 'utf8')
    return /^\uFEFF?\s*\[\s*"/.test(text) ? readPeersJson(text) : readConfigurationJson(text)
  } catch (cause) {
    const details = { path, ...(RaftError.is(cause) && cause.details) }
    const message = `${path} cannot be used: ${messageOf(cause)}`
    throw new RaftError('RAFT_INVALID_CONFIGURATION', message, { details, cause })
  }
}
