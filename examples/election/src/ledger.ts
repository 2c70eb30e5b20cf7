import { createServer, type Server } from 'node:http'

/** A line of the ledger, and the token of the leader that wrote it. */
export interface LedgerLine {
  readonly token: number
  readonly text: string
}

/** What only a leader may write to. It refuses a token lower than the highest it has seen. */
export class Ledger {
  readonly lines: LedgerLine[] = []
  readonly #onLine: (line: LedgerLine, isAccepted: boolean) => void
  #highestToken = 0

  /** `onLine` hears of every line, accepted or not. */
  constructor(onLine: (line: LedgerLine, isAccepted: boolean) => void = () => {}) {
    this.#onLine = onLine
  }

  /** False, and nothing changed, for a leader that was replaced by one that has written already. */
  append(line: LedgerLine): boolean {
    const isAccepted = line.token >= this.#highestToken
    if (isAccepted) {
      this.#highestToken = line.token
      this.lines.push(line)
    }
    this.#onLine(line, isAccepted)
    return isAccepted
  }
}

/** Largest text of a line, in characters of the URL. */
const maxTextLength = 1000

/** `POST /?token=17&text=hello` appends: 201, 409 for an old token, 400 for anything else. */
export function createLedgerServer(ledger: Ledger): Server {
  return createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://ledger')
    const token = Number(searchParams.get('token'))
    const text = searchParams.get('text') ?? ''
    const isLine =
      request.method === 'POST' &&
      Number.isSafeInteger(token) &&
      token > 0 &&
      text.length <= maxTextLength
    const status = isLine ? (ledger.append({ token, text }) ? 201 : 409) : 400
    response.writeHead(status).end()
  })
}
