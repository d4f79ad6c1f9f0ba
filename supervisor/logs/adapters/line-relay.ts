import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { type LogFormat, timeOfDay } from '../../base/log.ts'
import { base64Line, jsonLine, jsonLines } from '../json-line.ts'
import type { Output } from './output.ts'

/** Longer lines are split. */
const maxLineBytes = 2 << 20
const tailBytes = 8192
/** Time after which the beginning of a line is written without its end: a prompt, or what a program prints before it hangs. */
const partialMs = 1000

/** Larger scratch is not kept. */
const keptBytes = 1 << 19

/** Memory for lines on their way, which relays share, so that a busy one leaves no garbage. */
export interface Scratch {
  bytes: Buffer
}

/** Scratch that grows with its use. */
export const createScratch = (): Scratch => ({ bytes: Buffer.alloc(0) })

/** Options of `relayLines`. */
export interface RelayOptions {
  /** Its chunks need not stay valid after the event. */
  stream: Readable
  output: Pick<Output, 'write' | 'full'>
  format: LogFormat
  /** `app.1` */
  source: string
  pid: number
  streamName: 'stdout' | 'stderr'
  now: () => number
  /** Default: its own. */
  scratch?: Scratch
  /** Receives the lines as well, without the line break of the last one. They are valid only during the call. */
  keep?: ((lines: Buffer) => void) | undefined
  /** Form of the lines, instead of the one of `format`. */
  render?: ((lines: Buffer) => Buffer | string) | undefined
}

/** Relay of one output stream of a child. */
export interface LineRelay {
  /** The last bytes received, for the report of a dead worker. */
  tail(): Buffer
  /** Settles when the stream has ended and its last line has been written. */
  ended: Promise<void>
}

/** Copies the output of a child to `output` line by line, prefixed with its source. The bytes of a line stay unchanged. */
export function relayLines(options: RelayOptions): LineRelay {
  const { stream, output } = options
  const render = options.render ?? renderers[options.format](options)
  let rest: Buffer[] = []
  let restBytes = 0
  let tail: Buffer = Buffer.alloc(0)
  let partial: NodeJS.Timeout | undefined
  /** Whether the beginning of the present line has been written. */
  let isContinued = false

  function pass(lines: Buffer): void {
    output.write(render(lines))
    options.keep?.(lines)
  }

  function keep(bytes: Buffer): void {
    rest = bytes.length > 0 ? [Buffer.from(bytes)] : []
    restBytes = bytes.length
    clearTimeout(partial)
    partial = bytes.length > 0 ? setTimeout(writePartial, partialMs).unref() : undefined
  }

  function writePartial(): void {
    if (stream.isPaused()) {
      // its end may be there already
      partial = setTimeout(writePartial, partialMs).unref()
      return
    }
    const bytes = Buffer.concat(rest)
    const whole = bytes.length - unfinishedBytes(bytes)
    if (whole > 0) pass(bytes.subarray(0, whole))
    if (whole > 0) isContinued = true
    keep(bytes.subarray(whole))
  }

  const ended = new Promise<void>(resolve => {
    stream.on('close', () => {
      if (restBytes > 0) pass(Buffer.concat(rest))
      keep(Buffer.alloc(0))
      resolve()
    })
  })
  stream.on('error', () => {}) // a reset pipe ends the stream, and 'close' follows
  stream.on('data', (chunk: Buffer) => {
    tail = Buffer.concat(chunk.length >= tailBytes ? [chunk.subarray(-tailBytes)] : [tail.subarray(-tailBytes), chunk])
    const lastBreak = chunk.lastIndexOf(10)
    if (lastBreak === -1) {
      if (restBytes === 0) keep(chunk)
      else {
        rest.push(Buffer.from(chunk))
        restBytes += chunk.length
      }
      if (restBytes < maxLineBytes) return
      pass(Buffer.concat(rest))
      keep(Buffer.alloc(0))
    } else {
      const whole = chunk.subarray(0, lastBreak)
      const bytes = rest.length === 0 ? whole : Buffer.concat([...rest, whole])
      // the end of a line whose beginning has been written
      if (isContinued && bytes.length > 0 && bytes[0] === 10) pass(bytes.subarray(1))
      else if (!isContinued || bytes.length > 0) pass(bytes)
      isContinued = false
      keep(chunk.subarray(lastBreak + 1))
    }
    const full = output.full()
    if (!full) return
    stream.pause()
    void full.then(() => stream.resume())
  })
  return { tail: () => tail.subarray(-tailBytes), ended }
}

type Render = (lines: Buffer) => Buffer | string

const renderers: Record<LogFormat, (options: RelayOptions) => Render> = {
  json: jsonRenderer,
  text: ({ source, pid, streamName, now, scratch = createScratch() }) =>
    prefixer(scratch, () => `${new Date(now()).toISOString()} ${source}[${pid}] ${streamName}| `),
  short: ({ source, now, scratch = createScratch() }) => prefixer(scratch, () => `${timeOfDay(now())} ${source} | `),
}

function prefixer(scratch: Scratch, prefixNow: () => string): Render {
  return lines => {
    const prefix = Buffer.from(prefixNow(), 'latin1')
    let out = scratch.bytes
    let length = 0
    for (let from = 0; from <= lines.length; ) {
      const found = lines.indexOf(10, from)
      const end = found === -1 ? lines.length : found
      const needed = length + prefix.length + end - from + 1
      if (needed > out.length) out = grow(out.subarray(0, length), needed)
      prefix.copy(out, length)
      lines.copy(out, length + prefix.length, from, end)
      out[needed - 1] = 10
      length = needed
      from = end + 1
    }
    if (out.length <= keptBytes) scratch.bytes = out
    return out.subarray(0, length)
  }
}

function grow(bytes: Buffer, needed: number): Buffer {
  const larger = Buffer.allocUnsafeSlow(needed * 2)
  bytes.copy(larger)
  return larger
}

function jsonRenderer({ source, pid, streamName, now }: RelayOptions): Render {
  const fixed = { source: JSON.stringify(source), pid: String(pid), stream: JSON.stringify(streamName) }
  return lines => {
    const own = { ...fixed, time: JSON.stringify(new Date(now())) }
    if (isUtf8(lines)) return jsonLines(lines.toString(), own)
    return splitLines(lines)
      .map(line => (isUtf8(line) ? jsonLine(line.toString(), own) : base64Line(line, own)))
      .join('')
  }
}

/** Number of bytes at the end that begin a character of UTF-8 whose other bytes are missing. */
function unfinishedBytes(bytes: Buffer): number {
  for (let back = 1; back <= 3 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if (byte < 0x80) return 0
    if (byte < 0xc0) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2
    return length > back ? back : 0
  }
  return 0
}

function splitLines(lines: Buffer): Buffer[] {
  const parts: Buffer[] = []
  let from = 0
  for (let end = lines.indexOf(10); end !== -1; end = lines.indexOf(10, from)) {
    parts.push(lines.subarray(from, end))
    from = end + 1
  }
  return [...parts, lines.subarray(from)]
}
