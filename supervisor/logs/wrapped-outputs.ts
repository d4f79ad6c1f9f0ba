import type { Output } from './adapters/output.ts'
import { countLines } from './line-count.ts'

/** Output that also writes to another one, and waits for neither of them longer than for the first. */
export function tee(output: Output, other: Pick<Output, 'write' | 'full' | 'end'>): Output {
  return {
    write(data) {
      const bytes = typeof data === 'string' ? Buffer.from(data) : data
      output.write(bytes)
      other.write(bytes)
    },
    full: () => output.full() ?? other.full(),
    async end(timeoutMs) {
      const [isWritten] = await Promise.all([output.end(timeoutMs), other.end(timeoutMs)])
      return isWritten
    },
  }
}

/**
 * Output that never makes its writers wait: while there is no room, lines are dropped. `onDropped` gets their number, `onRoom` their sum
 * when there is room again.
 */
export function dropping(
  output: Output,
  { onDropped, onRoom }: { onDropped: (lines: number) => void; onRoom: (lines: number) => void },
): Output {
  let dropped = 0
  return {
    write(data) {
      const full = output.full()
      if (!full) {
        output.write(data)
        return
      }
      const lines = countLines(data)
      if (dropped === 0)
        void full.then(() => {
          const sum = dropped
          dropped = 0
          onRoom(sum)
        })
      dropped += lines
      onDropped(lines)
    },
    full: () => undefined,
    end: timeoutMs => output.end(timeoutMs),
  }
}
