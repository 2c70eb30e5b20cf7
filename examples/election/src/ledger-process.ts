// The ledger in a process of its own: prints what leaders write.
//   tsx src/ledger-process.ts --port 8100
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { createLedgerServer, Ledger } from './ledger.ts'

const { values } = parseArgs({ options: { port: { type: 'string', default: '8100' } } })
const ledger = new Ledger(({ token, text }, isAccepted) =>
  console.log(isAccepted ? 'accepted' : 'refused ', token, text),
)
const server = createLedgerServer(ledger).listen(Number(values.port), '127.0.0.1')
await once(server, 'listening')
console.log(`ledger on 127.0.0.1:${values.port}`)
