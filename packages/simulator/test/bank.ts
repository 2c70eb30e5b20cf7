// A toy bank: the state machine of a user who tests it in the simulator.
import type { LogEntry, Random, StateMachine, StateMachineSnapshot } from '@raftkit/interface'
import type { Workload } from '@raftkit/simulator'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const ACCOUNTS = ['ann', 'bob', 'cem']

/** Bugs that can be planted in the bank. */
export type BankBug = 'forgets frozen accounts' | 'random fee' | 'loses money'

export class Bank implements StateMachine<boolean> {
  balances = new Map(ACCOUNTS.map((name) => [name, 100]))
  frozen = new Set<string>()
  readonly #bug: BankBug | undefined

  constructor(bug?: BankBug) {
    this.#bug = bug
  }

  get total(): number {
    return [...this.balances.values()].reduce((sum, balance) => sum + balance, 0)
  }

  apply({ data }: LogEntry): boolean {
    const [op = '', from = '', to = '', amount] = decoder.decode(data).split(' ')
    if (op === 'freeze') return this.frozen.size < 2 && !!this.frozen.add(from)
    if (op === 'thaw') return this.frozen.delete(from)
    return this.#transfer(from, to, Number(amount))
  }

  #transfer(from: string, to: string, amount: number): boolean {
    const left = this.balances.get(from)! - amount
    if (left < 0 || from === to || this.frozen.has(from)) return false
    if (this.#bug === 'random fee' && Math.random() < 0.5) return false
    this.balances.set(from, left)
    if (this.#bug === 'loses money' && left === 0) return true
    this.balances.set(to, this.balances.get(to)! + amount)
    return true
  }

  snapshot(): StateMachineSnapshot {
    const frozen = this.#bug === 'forgets frozen accounts' ? [] : [...this.frozen]
    const state = encoder.encode(JSON.stringify([[...this.balances], frozen]))
    return { persist: (writer) => writer.write(state) }
  }

  async restore(state: AsyncIterable<Uint8Array>): Promise<void> {
    let text = ''
    for await (const chunk of state) text += decoder.decode(chunk, { stream: true })
    const [balances, frozen] = JSON.parse(text) as [[string, number][], string[]]
    this.balances = new Map(balances)
    this.frozen = new Set(frozen)
  }
}

export function bankWorkload(): Workload<Bank, string, boolean> {
  let calls = 0
  const pick = (random: Random): string => ACCOUNTS[Math.floor(random.next() * ACCOUNTS.length)]!
  return {
    next(random) {
      const amount = Math.floor(random.next() * 60)
      const op = random.next()
      const text =
        op < 0.2
          ? `freeze ${pick(random)}`
          : op < 0.4
            ? `thaw ${pick(random)}`
            : `transfer ${pick(random)} ${pick(random)} ${amount}`
      // Every command is another one, so that the simulator can tell them apart.
      const input = `${text} ${++calls}`
      return { input, command: encoder.encode(input) }
    },
  }
}
