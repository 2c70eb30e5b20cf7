// Writes the story of the demo: plain ANSI on a terminal, plain lines anywhere else, nothing with --json.
const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const

/** Where the demo tells what happens. */
export class Terminal {
  readonly #out: NodeJS.WriteStream
  readonly #silent: boolean
  readonly #began = performance.now()
  #progressShown = false

  constructor(options: { readonly silent: boolean; readonly out?: NodeJS.WriteStream }) {
    this.#silent = options.silent
    this.#out = options.out ?? process.stdout
  }

  /** A chapter. */
  heading(text: string): void {
    this.#line('')
    this.#line(this.#style('bold', text))
  }

  /** Something that happened. */
  event(text: string): void {
    const seconds = ((performance.now() - this.#began) / 1000).toFixed(1).padStart(5)
    this.#line(`${this.#style('dim', `${seconds}s`)}  ${text}`)
  }

  good(text: string): void {
    this.event(`${this.#style('green', '✔')} ${text}`)
  }

  bad(text: string): void {
    this.event(`${this.#style('red', '✘')} ${text}`)
  }

  /** A line of text as it is. */
  text(text: string): void {
    this.#line(text)
  }

  /** A number that moves; replaced by whatever comes next. Shown on a terminal only. */
  progress(text: string): void {
    if (this.#silent || !this.#out.isTTY) return
    this.#out.write(`\r\u001b[2K${this.#style('dim', `        ${text}`)}`)
    this.#progressShown = true
  }

  name(text: string): string {
    return this.#style('cyan', text)
  }

  number(text: string | number): string {
    return this.#style('yellow', String(text))
  }

  #line(text: string): void {
    if (this.#silent) return
    if (this.#progressShown) this.#out.write('\r\u001b[2K')
    this.#progressShown = false
    this.#out.write(`${text}\n`)
  }

  #style(style: keyof typeof codes, text: string): string {
    return this.#out.isTTY && process.env['NO_COLOR'] === undefined
      ? `\u001b[${codes[style]}m${text}\u001b[0m`
      : text
  }
}
