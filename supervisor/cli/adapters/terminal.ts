import { writeSync } from 'node:fs'

/** Alternate screen, hidden cursor, no wrapping; and back. */
const [enter, leave] = ['\u001b[?1049h\u001b[?25l\u001b[?7l', '\u001b[?7h\u001b[?25h\u001b[?1049l']
/** Size where the terminal does not tell. */
const usual = { columns: 80, rows: 24 }
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const

/** Whole screen of the terminal, until it is left. */
export interface Terminal {
  size(): { columns: number; rows: number }
  /** Shows lines, each at most as wide as the terminal. */
  draw(lines: readonly string[]): void
  /** Restores the terminal. Happens by itself when the process ends, unless it is killed. */
  leave(): void
}

/** Calls for what happens at the terminal. */
export interface TerminalEvents {
  /** What was typed. */
  onInput(text: string): void
  /** Another size, or the screen has to be drawn again. */
  onChange(): void
  /** The end of the input, or a signal that ends a program. */
  onEnd(): void
}

/** Takes the whole screen. */
export function enterTerminal({ onInput, onChange, onEnd }: TerminalEvents): Terminal {
  const stdin = process.stdin
  const stdout = process.stdout
  let isOver = false

  function take(): void {
    if (isOver) return
    if (stdin.isTTY) stdin.setRawMode(true)
    stdout.write(enter)
  }

  function restore(): void {
    if (isOver) return
    isOver = true
    stdin.off('data', read).off('end', onEnd).off('error', onEnd).pause()
    stdout.off('resize', onChange)
    process.off('SIGCONT', comeBack).off('exit', restore)
    for (const signal of endings) process.off(signal, onEnd)
    try {
      if (stdin.isTTY) stdin.setRawMode(false)
      // the process may end before a stream has written it
      writeSync(stdout.fd, leave)
    } catch {
      // the terminal is gone
    }
  }

  function read(text: Buffer): void {
    onInput(text.toString('utf8'))
  }

  function comeBack(): void {
    take()
    onChange()
  }

  take()
  stdin.on('data', read).on('end', onEnd).on('error', onEnd)
  stdout.on('resize', onChange)
  process.on('SIGCONT', comeBack).on('exit', restore)
  for (const signal of endings) process.on(signal, onEnd)
  return {
    size: () => ({ columns: stdout.columns || usual.columns, rows: stdout.rows || usual.rows }),
    draw(lines) {
      if (!isOver) stdout.write(`\u001b[H${lines.map(line => `${line}\u001b[K`).join('\r\n')}\u001b[J`)
    },
    leave: restore,
  }
}
