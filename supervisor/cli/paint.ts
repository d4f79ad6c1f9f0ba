import { type styleText as StyleText, styleText } from 'node:util'
import type { LogLevel } from '../base/log.ts'

/** Colours for a terminal; elsewhere, and with NO_COLOR, texts stay as they are. */
export interface Paint {
  dim(text: string): string
  bold(text: string): string
  good(text: string): string
  bad(text: string): string
  byLevel(level: LogLevel, text: string): string
}

type Style = Parameters<typeof StyleText>[0]

/** Colours for a stream. */
export function createPaint(
  stream: Pick<NodeJS.WriteStream, 'isTTY' | 'hasColors'>,
  env: Readonly<Record<string, string | undefined>>,
): Paint {
  const isColoured = stream.isTTY && !env.NO_COLOR && stream.hasColors(env)
  const paint = (style: Style) => (text: string) =>
    isColoured && text !== '' ? styleText(style, text, { validateStream: false }) : text
  const byLevel: Record<LogLevel, (text: string) => string> = {
    debug: paint('dim'),
    info: text => text,
    warn: paint('yellow'),
    error: paint('red'),
  }
  return {
    dim: paint('dim'),
    bold: paint('bold'),
    good: paint('green'),
    bad: paint('red'),
    byLevel: (level, text) => byLevel[level](text),
  }
}
