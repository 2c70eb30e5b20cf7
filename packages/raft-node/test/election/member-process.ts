// One member of an election in a process of its own, which a test stops and continues with signals.
//   member-process.ts <address> <peers, comma-separated> <data directory>
// While it leads it says so at every turn of the event loop that is 20 ms after the last one.
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createLeaderElection, silentLogger } from '../../src/index.ts'

const [address = '', peers = '', dataDir = ''] = process.argv.slice(2)
const election = await createLeaderElection({
  address,
  peers: peers.split(','),
  dataDir,
  logger: silentLogger,
  config: { heartbeatTimeoutMs: 1500, electionTimeoutMs: 1500, leaderLeaseTimeoutMs: 1000 },
})

election.onLeadership(async ({ fencingToken, signal }) => {
  let told = 0
  for (;;) {
    const isDue = performance.now() - told > 20
    if (signal.aborted) break
    if (isDue) {
      told = performance.now()
      process.stdout.write(`leads ${fencingToken}\n`)
    }
    await nextTurn()
  }
  process.stdout.write(`over ${fencingToken}\n`)
})

process.on('disconnect', () => process.exit())
process.stdout.write('up\n')
