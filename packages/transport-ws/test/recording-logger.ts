// A logger that keeps what it is told.
import type { Logger } from '@raftkit/interface'

export interface LogLine {
  readonly level: keyof Logger
  readonly fields: object
  readonly message: string
}

export function recordingLogger(): Logger & { readonly lines: readonly LogLine[] } {
  const lines: LogLine[] = []
  const at = (level: keyof Logger) => (fields: object, message: string) => {
    lines.push({ level, fields, message })
  }
  return {
    lines,
    trace: at('trace'),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}
