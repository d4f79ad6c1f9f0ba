import { isAtLeast, type LogLevel } from '../base/log.ts'
import { validText } from '../base/valid-text.ts'
import { type LineOrigin, levelOf } from './line-level.ts'

/** Line of the log. */
export interface LogLine {
  /** Grows from line to line, and is never used twice in a run. */
  id: number
  /** ISO 8601. */
  time: string
  /** `app.1`, `queue.1`, `nginx`, `monohull` */
  source: string
  level: LogLevel
  text: string
  /** Process that wrote it. */
  pid?: number
}

/** Selection of lines. Without a key, nothing is left out for it. */
export interface LogFilter {
  /** Sources, such as `app.1`; `app` stands for all its workers. */
  sources?: readonly string[] | undefined
  pid?: number | undefined
  /** Lowest level. */
  level?: LogLevel | undefined
  /** Lines from this time on, in ms since the Unix epoch. */
  since?: number | undefined
  /** Text that the line contains, in upper or lower case. */
  grep?: string | undefined
  /** Lines after the one with this id. */
  after?: number | undefined
}

/** Origin of lines that are appended together. */
export interface LineSource {
  source: string
  origin: LineOrigin
  pid?: number
}

/** Last lines of the log, in bounded memory. */
export interface LogRing {
  /** Appends lines without the line break of the last one. The caller may use the buffer again. */
  append(from: LineSource, lines: Buffer | string): void
  /** The last `limit` lines that match, oldest first; at most and by default 20,000. */
  read(filter?: LogFilter, limit?: number): LogLine[]
  /** Calls `onLine` for each new line that matches. Returns a function that ends it. */
  follow(filter: LogFilter, onLine: (line: LogLine) => void): () => void
}

const segmentBytes = 1 << 16
/** Segments in a ring, each of which is forgotten as a whole. */
const segments = 16
/** Before each block: its time, its length, its pid and the index of its source. */
const headBytes = 24
const maxLines = 20_000

interface Segment {
  /** Number of segments before it, so that positions grow. */
  number: number
  bytes: Buffer
  used: number
  /** Offsets of its blocks. */
  blocks: number[]
}

/**
 * Ring of what passes through the relays, about 1 MB. A block of lines is copied as it is, and split into lines only when it is read, so
 * that a program that prints much costs one copy more. A line of more than 64 KB is cut off.
 */
export function createLogRing({ now }: { now: () => number }): LogRing {
  const ring: Segment[] = []
  const sources: LineSource[] = []
  const indexes = new Map<string, number>()
  const followers = new Set<(segment: Segment, block: number) => void>()

  function indexOf({ source, origin }: LineSource): number {
    const key = `${origin} ${source}`
    const known = indexes.get(key)
    if (known !== undefined) return known
    indexes.set(key, sources.length)
    return sources.push({ source, origin }) - 1
  }

  function nextSegment(): Segment {
    const number = (ring.at(-1)?.number ?? -1) + 1
    const oldest = ring.length < segments ? undefined : ring.shift()
    const next = { number, bytes: oldest?.bytes ?? Buffer.allocUnsafeSlow(segmentBytes), used: 0, blocks: [] }
    ring.push(next)
    return next
  }

  function put(segment: Segment, from: LineSource, lines: Buffer): void {
    const { bytes, used } = segment
    bytes.writeDoubleLE(now(), used)
    bytes.writeUInt32LE(lines.length, used + 8)
    bytes.writeUInt32LE(from.pid ?? 0, used + 12)
    bytes.writeUInt32LE(indexOf(from), used + 16)
    lines.copy(bytes, used + headBytes)
    segment.blocks.push(used)
    segment.used += headBytes + lines.length
    for (const follower of followers) follower(segment, used)
  }

  /** Lines of a block from the last one to the first, until `each` returns false. Returns whether it never did. */
  function readBlock({ number, bytes }: Segment, block: number, each: (line: LogLine) => boolean): boolean {
    const { source = '', origin = 'stdout' } = sources[bytes.readUInt32LE(block + 16)] ?? {}
    const pid = bytes.readUInt32LE(block + 12)
    const time = new Date(bytes.readDoubleLE(block)).toISOString()
    const first = block + headBytes
    let end = first + bytes.readUInt32LE(block + 8)
    for (;;) {
      const found = end > first ? bytes.lastIndexOf(10, end - 1) : -1
      const begin = found < first ? first : found + 1
      const text = validText(bytes.subarray(begin, end)).replace(/\r$/, '')
      const id = number * segmentBytes + begin
      if (!each({ id, time, source, level: levelOf(origin, text), text, ...(pid > 0 ? { pid } : {}) })) return false
      if (found < first) return true
      end = found
    }
  }

  return {
    append(from, lines) {
      const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines
      let segment = ring.at(-1) ?? nextSegment()
      for (let begin = 0; begin <= bytes.length; ) {
        const room = segmentBytes - segment.used - headBytes
        if (bytes.length - begin <= room) {
          put(segment, from, bytes.subarray(begin))
          return
        }
        const found = room > 0 ? bytes.lastIndexOf(10, begin + room) : -1
        if (found >= begin) {
          put(segment, from, bytes.subarray(begin, found))
          begin = found + 1
        } else if (segment.used === 0) {
          put(segment, from, bytes.subarray(begin, begin + room))
          const end = bytes.indexOf(10, begin + room)
          if (end === -1) return
          begin = end + 1
        }
        segment = nextSegment()
      }
    },
    read(filter = {}, limit = maxLines) {
      const lines: LogLine[] = []
      const wanted = Math.min(limit, maxLines)
      const take = (line: LogLine) => {
        if (matches(line, filter)) lines.push(line)
        return lines.length < wanted && line.id > (filter.after ?? -1)
      }
      if (wanted < 1) return lines
      for (const segment of ring.toReversed()) {
        if (!segment.blocks.toReversed().every(block => readBlock(segment, block, take))) break
      }
      return lines.reverse()
    },
    follow(filter, onLine) {
      const follower = (segment: Segment, block: number) => {
        const lines: LogLine[] = []
        readBlock(segment, block, line => {
          if (matches(line, filter)) lines.push(line)
          return true
        })
        for (const line of lines.reverse()) onLine(line)
      }
      followers.add(follower)
      return () => void followers.delete(follower)
    },
  }
}

function matches(line: LogLine, { sources, pid, level, since, grep, after }: LogFilter): boolean {
  return (
    (sources === undefined || sources.some(name => line.source === name || line.source.startsWith(`${name}.`))) &&
    (pid === undefined || line.pid === pid) &&
    (level === undefined || isAtLeast(line.level, level)) &&
    (since === undefined || Date.parse(line.time) >= since) &&
    (grep === undefined || line.text.toLowerCase().includes(grep.toLowerCase())) &&
    (after === undefined || line.id > after)
  )
}
