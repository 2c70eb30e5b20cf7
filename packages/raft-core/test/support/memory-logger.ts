// A logger that keeps its lines.
import type { Logger, LogMethod } from '@raftkit/interface'

export interface LogLine {
  readonly level: keyof Logger
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}

export class MemoryLogger implements Logger {
  readonly lines: LogLine[] = []
  readonly trace: LogMethod = this.#method('trace')
  readonly debug: LogMethod = this.#method('debug')
  readonly info: LogMethod = this.#method('info')
  readonly warn: LogMethod = this.#method('warn')
  readonly error: LogMethod = this.#method('error')

  /** Lines of that level. */
  at(level: keyof Logger): readonly LogLine[] {
    return this.lines.filter((line) => line.level === level)
  }

  #method(level: keyof Logger): LogMethod {
    return (fields, message) => {
      this.lines.push({ level, fields: { ...fields }, message })
    }
  }
}
