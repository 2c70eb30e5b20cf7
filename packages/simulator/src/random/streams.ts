// Chance from one seed: a stream of its own for each concern, so that one more draw here shifts nothing there.
import type { Random } from '@raftkit/interface'

/** A stream of random numbers (sfc32). */
export class Stream implements Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** Streams of different names are independent of each other. */
  constructor(seed: number, name: string) {
    const text = `${seed}/${name}`
    this.#a = hashOf(text, 0x9e3779b9)
    this.#b = hashOf(text, 0x243f6a88)
    this.#c = hashOf(text, 0xb7e15162)
    for (let round = 0; round < 12; round++) this.next()
  }

  /** Uniform in [0, 1). */
  next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return (sum >>> 0) / 4_294_967_296
  }

  /** True with that probability. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** Uniform in [least, most). */
  between(least: number, most: number): number {
    return least + this.next() * (most - least)
  }

  /** Uniform among the whole numbers from `least` to `most`. */
  integer(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1))
  }

  /** Exponentially distributed. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean
  }

  /** Between `least` and `most` on a logarithmic scale: each order of magnitude is equally likely. */
  magnitude(least: number, most: number): number {
    return least * Math.exp(Math.log(most / least) * this.next())
  }

  /** One of the items, which must be some. */
  pick<T>(items: readonly T[]): T {
    return items[Math.floor(this.next() * items.length)]!
  }
}

/** FNV-1a with a final mix. */
function hashOf(text: string, basis: number): number {
  let hash = basis | 0
  for (let place = 0; place < text.length; place++)
    hash = Math.imul(hash ^ text.charCodeAt(place), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  return hash ^ (hash >>> 13)
}
