import { type Configuration, RaftError, type Server } from '@raftkit/interface'
import {
  type ConfigurationFault,
  faultsOf,
} from './consensus/configuration/configuration-change.ts'

/**
 * A copy of the configuration, so that what its owner does with it later changes nothing. Throws
 * `RAFT_INVALID_CONFIGURATION` with all that is wrong with the members of a cluster (`details.problems`); a joint one is
 * wrong too: it is the middle of a change, and nobody begins there.
 */
export function checkedConfiguration({ servers, next }: Configuration): Configuration {
  const problems = faultsOf({ servers }).map(problemText)
  if (next !== undefined)
    problems.push(
      'the configuration is joint, the middle of a change: give the members before it (servers) or after it (next)',
    )
  if (problems.length > 0)
    throw new RaftError('RAFT_INVALID_CONFIGURATION', problems.join('; '), {
      details: { problems },
    })
  return { servers: servers.map(copied) }
}

function copied({ suffrage, id, address, diskId }: Server): Server {
  return diskId === undefined ? { suffrage, id, address } : { suffrage, id, address, diskId }
}

function problemText({ problem, server }: ConfigurationFault): string {
  switch (problem) {
    case 'no-voter':
      return 'need at least one voter in configuration'
    case 'empty-id':
      return 'empty ID in configuration'
    case 'empty-address':
      return `empty address in configuration: ${server?.id}`
    case 'duplicate-id':
      return `found duplicate ID in configuration: ${server?.id}`
    case 'duplicate-address':
      return `found duplicate address in configuration: ${server?.address}`
  }
}
