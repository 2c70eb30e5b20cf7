/** One level of a logger: fields first, then the sentence. */
export type LogMethod = (fields: object, message: string) => void

/** Where raftkit writes what happens. A pino logger fits as it is. Methods must not throw. */
export interface Logger {
  readonly trace: LogMethod
  readonly debug: LogMethod
  readonly info: LogMethod
  readonly warn: LogMethod
  readonly error: LogMethod
}

const ignore: LogMethod = () => {}

/** A logger that drops everything. */
export const silentLogger: Logger = {
  trace: ignore,
  debug: ignore,
  info: ignore,
  warn: ignore,
  error: ignore,
}
