import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { goPrograms } from '../src/server-kind.ts'

/** A Go process that decodes messages as hashicorp/raft does and gives the bytes that it would send for them. */
export class Recoder {
  readonly #child = spawn(goPrograms.go, ['recode'], { stdio: ['pipe', 'pipe', 'inherit'] })
  readonly #waiting: { resolve: (hex: string) => void; reject: (error: Error) => void }[] = []

  constructor() {
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const { hex, error } = JSON.parse(line) as { hex: string; error?: string }
      const waiting = this.#waiting.shift()
      if (error === undefined) waiting?.resolve(hex)
      else waiting?.reject(new Error(`Go refuses it: ${error}`))
    })
  }

  /** The bytes of a message of this Go type, decoded and encoded again, in hex. */
  recode(type: string, bytes: Uint8Array): Promise<string> {
    const hex = Buffer.from(bytes).toString('hex')
    this.#child.stdin.write(`${JSON.stringify({ type, hex })}\n`)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit')
    this.#child.stdin.end()
    await ended
  }
}
