// The demo of `npm start`: a cluster of three processes survives what clusters go through.
//   --json  prints the report and nothing else      --stay  keeps the cluster up until Ctrl-C
import { once } from 'node:events'
import { parseArgs } from 'node:util'
import { Cluster } from './cluster.ts'
import type { Report } from './report.ts'
import { tellStory } from './story.ts'
import { Terminal } from './terminal.ts'

const { values: options } = parseArgs({
  options: { json: { type: 'boolean', default: false }, stay: { type: 'boolean', default: false } },
  // `npm start -- --json` arrives with the dashes.
  allowPositionals: true,
})

const terminal = new Terminal({ silent: options.json })
const cluster = await Cluster.create(3)

// Whatever ends this process, the nodes end with it.
process.on('exit', () => cluster.killNow())
const interrupted = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')])
let staying = false

const code = await Promise.race([run(), interrupted.then(interruption)])
process.exit(code)

/** Ctrl-C is how a cluster that stays is ended; before that it gives up the run. */
async function interruption(): Promise<number> {
  if (staying) return new Promise(() => {})
  await cluster.killAll()
  await cluster.remove()
  return 130
}

async function run(): Promise<number> {
  try {
    const report = await tellStory(cluster, terminal)
    if (options.json) console.log(JSON.stringify(report, null, 2))
    else summarise(report)
    staying = options.stay
    if (staying) await stay()
    await cluster.stopAll()
    if (report.ok) await cluster.remove()
    else console.error(`The nodes' data and logs are kept in ${cluster.directory}`)
    return report.ok ? 0 : 1
  } catch (error) {
    console.error(error)
    console.error(`The nodes' data and logs are kept in ${cluster.directory}`)
    return 1
  }
}

function summarise(report: Report): void {
  const count = (value: number | string): string => terminal.number(value)
  terminal.heading(report.ok ? 'Nothing was lost' : 'Something went wrong')
  const tell = (ok: boolean, text: string): void => (ok ? terminal.good(text) : terminal.bad(text))
  tell(
    report.lost === 0 && report.corrupt === 0,
    `${count(report.acknowledged)} writes acknowledged, ${count(report.lost)} lost, ${count(report.corrupt)} wrong; ` +
      `${count(report.unknown)} ended in a crash with an unknown outcome`,
  )
  tell(
    report.identical,
    `the three states are ${report.identical ? '' : 'not '}equal at index ${count(report.index)}`,
  )
  tell(
    report.snapshotsInstalled > 0,
    `${count(report.elections)} elections, snapshots installed: ${count(report.snapshotsInstalled)}, ` +
      `${count(`${report.unavailableMs} ms`)} without writes after the leader died`,
  )
  for (const problem of report.problems) terminal.bad(problem)
  terminal.text('')
}

async function stay(): Promise<void> {
  if (!options.json) {
    terminal.heading('The cluster stays up. Try, on any node:')
    const [first, second] = cluster.nodes.map((node) => node.client.url)
    terminal.text(`  curl -X PUT ${first}/kv/greeting -d hello`)
    terminal.text(`  curl ${second}/kv/greeting`)
    for (const node of cluster.nodes)
      terminal.text(`  curl ${node.client.url}/status   # ${node.name}, process ${node.pid}`)
    terminal.text('Ctrl-C ends it.')
  }
  await interrupted
}
