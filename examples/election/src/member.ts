// One of several processes of which one at a time writes to the ledger.
//   tsx src/member.ts --address 127.0.0.1:7201 --peers 127.0.0.1:7201,127.0.0.1:7202,127.0.0.1:7203 \
//     --data ./data-1 --ledger http://127.0.0.1:8100
import { parseArgs } from 'node:util'
import { createLeaderElection, stopOnSignals } from '@raftkit/raft-node'
import { writeLines } from './write-lines.ts'

const { values } = parseArgs({
  options: {
    address: { type: 'string' },
    peers: { type: 'string' },
    data: { type: 'string' },
    ledger: { type: 'string', default: 'http://127.0.0.1:8100' },
    'every-ms': { type: 'string', default: '500' },
  },
})
const { address, peers, data, ledger } = values
if (address === undefined || peers === undefined || data === undefined) {
  console.error('usage: member.ts --address <host:port> --peers <a,b,c> --data <directory>')
  process.exit(2)
}

const election = await createLeaderElection({ address, peers: peers.split(','), dataDir: data })
election.onLeadership((leadership) =>
  writeLines(leadership, new URL(ledger), address, Number(values['every-ms'])),
)
stopOnSignals(election, { exit: true })
