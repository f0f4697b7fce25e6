// The supervisor's own lines: those about an app are held to the app's level, have its fields hidden, and go to its file too.

import type { LogConfig } from '../config/app-config.ts'
import type { EventLogger } from './events.ts'
import { createLogger, type LoggerOptions } from './logger.ts'

type Level = keyof EventLogger

export interface OwnLogOptions extends Pick<LoggerOptions, 'format' | 'labels' | 'sink' | 'prioritize'> {
  readonly configOf: (app: string) => LogConfig
  readonly takeOwn: (app: string, json: string) => void
}

interface OfApp {
  readonly config: LogConfig
  readonly logger: EventLogger
}

export class OwnLog implements EventLogger {
  readonly #options: OwnLogOptions
  readonly #general: EventLogger
  readonly #apps = new Map<string, OfApp>()

  constructor(options: OwnLogOptions) {
    this.#options = options
    this.#general = createLogger(options)
  }

  debug(fields: object, text: string): void {
    this.#write('debug', fields, text)
  }

  info(fields: object, text: string): void {
    this.#write('info', fields, text)
  }

  warn(fields: object, text: string): void {
    this.#write('warn', fields, text)
  }

  error(fields: object, text: string): void {
    this.#write('error', fields, text)
  }

  #write(level: Level, fields: object, text: string): void {
    const app = 'app' in fields && typeof fields.app === 'string' ? fields.app : null
    const logger = app === null ? this.#general : this.#loggerOf(app)
    logger[level](fields, text)
  }

  #loggerOf(app: string): EventLogger {
    const { configOf, takeOwn, ...options } = this.#options
    const config = configOf(app)
    const known = this.#apps.get(app)
    if (known?.config === config) return known.logger
    const { level, redact } = config
    const copy = (json: string) => takeOwn(app, json)
    const logger = createLogger({ ...options, level: level ?? 'info', redact, copy })
    this.#apps.set(app, { config, logger })
    return logger
  }
}
