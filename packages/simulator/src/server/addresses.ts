import type { ServerAddress, ServerId } from '@raftkit/interface'

/** Where a server can be reached: it may move, and former addresses may lead to it still. */
export class Addresses {
  readonly #id: ServerId
  /** Every one that it ever had, newest first. */
  #ever: readonly ServerAddress[]
  #open: readonly ServerAddress[]

  constructor(id: ServerId) {
    this.#id = id
    this.#ever = [id]
    this.#open = [id]
  }

  /** The first is its own. */
  get all(): readonly ServerAddress[] {
    return this.#open
  }

  /** Gives it another address. When `isReachable`, those that it has lead to it still. */
  move(isReachable: boolean): ServerAddress {
    const address = `${this.#id}.${this.#ever.length}`
    this.#ever = [address, ...this.#ever]
    this.#open = isReachable ? [address, ...this.#open] : [address]
    return address
  }

  /** All that it ever had lead to it again. Gives those that did not. */
  reopen(): readonly ServerAddress[] {
    const closed = this.#ever.filter((address) => !this.#open.includes(address))
    this.#open = [...this.#open, ...closed]
    return closed
  }
}
