/** Sets of operations with the state that they lead to, each remembered once (Lowe's memoisation). */
export class SeenStates {
  /** The operations that have been done, as bits. */
  readonly #done: Uint8Array
  #hash = 0
  #size = 0
  readonly #seen = new Map<number, { readonly done: Uint8Array; readonly state: string }[]>()

  constructor(operations: number) {
    this.#done = new Uint8Array(Math.ceil(operations / 8))
  }

  /** Sets with their states that are remembered. */
  get size(): number {
    return this.#size
  }

  /** Adds an operation to the set, or takes it out. */
  flip(operation: number): void {
    this.#done[operation >> 3]! ^= 1 << (operation & 7)
    this.#hash ^= mixed(operation + 1)
  }

  /** Remembers the present set with that state. False when it was known. */
  add(state: string): boolean {
    let hash = this.#hash
    for (let place = 0; place < state.length; place++)
      hash = Math.imul(hash ^ state.charCodeAt(place), 0x01000193)
    const known = this.#seen.get(hash)
    if (known?.some((other) => other.state === state && this.#isPresent(other.done)) === true)
      return false
    const entry = { done: this.#done.slice(), state }
    if (known === undefined) this.#seen.set(hash, [entry])
    else known.push(entry)
    this.#size++
    return true
  }

  #isPresent(done: Uint8Array): boolean {
    for (let place = 0; place < done.length; place++)
      if (done[place] !== this.#done[place]) return false
    return true
  }
}

function mixed(value: number): number {
  let hash = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
