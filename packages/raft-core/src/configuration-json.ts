// Configurations as people write them, in hashicorp/raft's peers.json: the input of a recovery.
import { type Configuration, messageOf, RaftError, type Server } from '@raftkit/interface'
import { checkedConfiguration } from './configuration-check.ts'

/** Characters of such a text; a cluster has far fewer members than that. */
const MAX_LENGTH = 1024 * 1024

/**
 * A configuration from `[{ "id": "a", "address": "10.0.0.1:7000", "non_voter": false }, …]`; `non_voter` may be left out.
 * Throws `RAFT_INVALID_CONFIGURATION` that names every problem with its position.
 */
export function readConfigurationJson(text: string): Configuration {
  return configurationOf(text, serverOf)
}

/**
 * A configuration from the oldest form, `["10.0.0.1:7000", …]`: all are voters, and the address is the id. Throws
 * `RAFT_INVALID_CONFIGURATION` as {@link readConfigurationJson} does.
 */
export function readPeersJson(text: string): Configuration {
  return configurationOf(text, peerOf)
}

function configurationOf(
  text: string,
  read: (value: unknown, position: number, problems: string[]) => Server | undefined,
): Configuration {
  if (text.length > MAX_LENGTH) throw invalid([`it is longer than ${MAX_LENGTH} characters`])
  const problems: string[] = []
  const servers: Server[] = []
  for (const [position, value] of arrayOf(text).entries()) {
    const server = read(value, position, problems)
    if (server !== undefined) servers.push(server)
  }
  if (problems.length > 0) throw invalid(problems)
  return checkedConfiguration({ servers })
}

function arrayOf(text: string): readonly unknown[] {
  let value: unknown
  try {
    // A byte order mark is what some editors put first.
    value = JSON.parse(text.replace(/^\uFEFF/, ''))
  } catch (error) {
    throw invalid([`it is not JSON: ${messageOf(error)}`], error)
  }
  if (!Array.isArray(value)) throw invalid(['it is not an array of members'])
  return value
}

function peerOf(value: unknown, position: number, problems: string[]): Server | undefined {
  if (typeof value === 'string') return { suffrage: 'voter', id: value, address: value }
  problems.push(`member ${position + 1} is not an address`)
  return undefined
}

function serverOf(value: unknown, position: number, problems: string[]): Server | undefined {
  const member = `member ${position + 1}`
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.push(`${member} is not an object with id and address`)
    return undefined
  }
  const { id, address, non_voter: nonVoter = false, ...others } = { ...value } as Member
  if (typeof id !== 'string') problems.push(`${member} has no id that is a string`)
  if (typeof address !== 'string') problems.push(`${member} has no address that is a string`)
  if (typeof nonVoter !== 'boolean') problems.push(`${member} has a non_voter that is no boolean`)
  // A misspelt "non_voter" would make a voter.
  for (const name of Object.keys(others)) problems.push(`${member} has an unknown field ${name}`)
  if (typeof id !== 'string' || typeof address !== 'string') return undefined
  return { suffrage: nonVoter === true ? 'nonvoter' : 'voter', id, address }
}

interface Member {
  readonly id?: unknown
  readonly address?: unknown
  readonly non_voter?: unknown
}

function invalid(problems: readonly string[], cause?: unknown): RaftError {
  return new RaftError(
    'RAFT_INVALID_CONFIGURATION',
    `the configuration cannot be read: ${problems.join('; ')}`,
    { details: { problems }, cause },
  )
}
