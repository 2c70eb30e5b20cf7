import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The first line of `go version`; undefined when Go is not installed. */
export async function goVersion(): Promise<string | undefined> {
  try {
    return (await run('go', ['version'])).stdout.trim()
  } catch {
    return undefined
  }
}

/** Builds the Go program in both versions; quick when nothing changed. Rejects when Go is not installed. */
export async function buildPeers(): Promise<void> {
  if ((await goVersion()) === undefined)
    throw new Error('Go is not installed: it is needed to build the hashicorp/raft servers')
  await run(fileURLToPath(new URL('../go/build.sh', import.meta.url)))
}
