/** A word or number of a story. */
export type Fact = string | number | boolean | undefined

/** One thing that happened. */
export interface StoryLine {
  readonly at: number
  readonly who: string
  readonly facts: readonly Fact[]
}

/** Lines kept for the transcript of a failure. */
const KEPT_LINES = 400

/**
 * The story of a run: a hash over everything that happened, to compare runs, and the last lines to read. Lines are put
 * into words only when somebody reads them.
 */
export class Trace {
  readonly #now: () => number
  readonly #onLine: ((line: StoryLine) => void) | undefined
  readonly #lines: StoryLine[] = []
  readonly #words = new Map<string, number>()
  #next = 0
  #high = 0x6a09e667
  #low = 0xbb67ae85

  /** `onLine` is told of every line as it happens. */
  constructor(now: () => number, onLine?: (line: StoryLine) => void) {
    this.#now = now
    this.#onLine = onLine
  }

  /** The same for two runs exactly when the same happened, as 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  /** The last lines, oldest first. */
  get lines(): readonly StoryLine[] {
    return [...this.#lines.slice(this.#next), ...this.#lines.slice(0, this.#next)]
  }

  /** Something happened. */
  tell(who: string, ...facts: readonly Fact[]): void {
    const line = { at: this.#now(), who, facts }
    this.#lines[this.#next] = line
    this.#next = (this.#next + 1) % KEPT_LINES
    this.#mixNumber(line.at)
    this.#mix(this.#wordHash(who))
    for (const fact of facts)
      if (typeof fact === 'number') this.#mixNumber(fact)
      else this.#mix(typeof fact === 'string' ? this.#wordHash(fact) : fact ? 3 : 5)
    this.#onLine?.(line)
  }

  #mixNumber(value: number): void {
    const whole = Math.floor(value)
    this.#mix(whole % 4_294_967_296)
    this.#mix((value - whole) * 4_294_967_296)
  }

  #mix(value: number): void {
    this.#high = Math.imul(this.#high ^ value, 0x9e3779b1)
    this.#high ^= this.#low >>> 15
    this.#low = Math.imul(this.#low ^ (value + this.#high), 0x85ebca77)
    this.#low ^= this.#high >>> 13
  }

  #wordHash(word: string): number {
    const known = this.#words.get(word)
    if (known !== undefined) return known
    let hash = 0x811c9dc5
    for (let place = 0; place < word.length; place++)
      hash = Math.imul(hash ^ word.charCodeAt(place), 0x01000193)
    if (this.#words.size < 10_000) this.#words.set(word, hash)
    return hash
  }
}

function hex(value: number): string {
  return (value >>> 0).toString(16).padStart(8, '0')
}

/** A line in words: `12.345 s  n2  sends append-entries to n1, term 4`. */
export function wordsOf({ at, who, facts }: StoryLine): string {
  const seconds = (at / 1000).toFixed(6).padStart(11)
  const words = facts.map((fact) => (typeof fact === 'number' ? numberWord(fact) : String(fact)))
  return `${seconds} s  ${who.padEnd(7)} ${words.join(' ')}`
}

function numberWord(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(2)
}
