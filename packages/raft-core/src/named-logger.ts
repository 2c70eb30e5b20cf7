import type { Logger, LogMethod } from '@raftkit/interface'

/** A logger that adds the same fields to every line. Nothing that it is given carries payloads. */
export function namedLogger(logger: Logger, fields: () => object): Logger {
  const named =
    (level: keyof Logger): LogMethod =>
    (line, message) =>
      logger[level]({ ...fields(), ...line }, message)
  return {
    trace: named('trace'),
    debug: named('debug'),
    info: named('info'),
    warn: named('warn'),
    error: named('error'),
  }
}
