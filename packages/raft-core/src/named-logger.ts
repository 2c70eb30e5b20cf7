import type { Logger, LogMethod } from '@raftkit/interface'

/**
 * A logger that adds the same fields to every line. Nothing that it is given carries payloads. What it throws is dropped: a
 * turn that ends in the middle because of a line would leave promises open.
 */
export function namedLogger(logger: Logger, fields: () => object): Logger {
  const named =
    (level: keyof Logger): LogMethod =>
    (line, message) => {
      try {
        logger[level]({ ...fields(), ...line }, message)
      } catch {
        // There is nobody left to tell.
      }
    }
  return {
    trace: named('trace'),
    debug: named('debug'),
    info: named('info'),
    warn: named('warn'),
    error: named('error'),
  }
}
