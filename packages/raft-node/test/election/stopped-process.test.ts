import { fork, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { freeAddresses } from '../disk-cluster.ts'

const program = fileURLToPath(new URL('./member-process.ts', import.meta.url))
const tsx = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href

let directory: string
let processes: Member[]

class Member {
  readonly child: ChildProcess
  /** What it said so far. */
  readonly lines: string[] = []
  readonly #said = new EventEmitter()

  constructor(address: string, peers: readonly string[]) {
    this.child = fork(program, [address, peers.join(','), join(directory, address)], {
      execArgv: ['--conditions=@raftkit/source', '--import', tsx],
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    createInterface({ input: this.child.stdout! }).on('line', (line) => {
      this.lines.push(line)
      this.#said.emit('line')
    })
  }

  /** The position of the first line from `from` on that begins so. */
  async says(begin: string, from = 0): Promise<number> {
    for (;;) {
      const found = this.lines.findIndex((line, i) => i >= from && line.startsWith(begin))
      if (found >= 0) return found
      await once(this.#said, 'line')
    }
  }

  async end(): Promise<void> {
    const exited = once(this.child, 'exit')
    this.child.kill('SIGKILL')
    await exited
  }
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'raftkit-election-'))
  processes = []
})

afterEach(async () => {
  await Promise.all(processes.map((member) => member.end()))
  await rm(directory, { recursive: true })
})

const tokenOf = (line: string | undefined): number => Number(line?.split(' ')[1])

describe('a leader whose process stood still', () => {
  it(
    'does nothing more once it runs again, and its token is old',
    { timeout: 60_000 },
    async () => {
      const peers = await freeAddresses(3)
      processes = peers.map((address) => new Member(address, peers))
      const [leader, position] = await Promise.race(
        processes.map(async (member) => [member, await member.says('leads')] as const),
      )
      const token = tokenOf(leader.lines[position])
      leader.child.kill('SIGSTOP')
      const others = processes.filter((member) => member !== leader)
      const [next, at] = await Promise.race(
        others.map(async (member) => [member, await member.says('leads')] as const),
      )
      expect(tokenOf(next.lines[at])).toBeGreaterThan(token)
      // What was in the pipe when the process was stopped is read by now.
      const before = leader.lines.length
      leader.child.kill('SIGCONT')
      await leader.says('over', before)
      expect(leader.lines.slice(before)).toEqual([`over ${token}`])
    },
  )
})
