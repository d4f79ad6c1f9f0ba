import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import { type LogFormat, timeOfDay } from '../../base/log.ts'
import type { Output } from './output.ts'

/** Longer lines are split. */
const maxLineBytes = 2 << 20
const tailBytes = 8192

/** Options of `relayLines`. */
export interface RelayOptions {
  stream: Readable
  output: Output
  format: LogFormat
  /** `app.1` */
  source: string
  pid: number
  streamName: 'stdout' | 'stderr'
  now: () => number
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

  const ended = new Promise<void>(resolve => {
    stream.on('close', () => {
      if (restBytes > 0) output.write(render(Buffer.concat(rest)))
      rest = []
      restBytes = 0
      resolve()
    })
  })
  stream.on('error', () => {}) // a reset pipe ends the stream, and 'close' follows
  stream.on('data', (chunk: Buffer) => {
    tail = chunk.length >= tailBytes ? chunk : Buffer.concat([tail.subarray(-tailBytes), chunk])
    const lastBreak = chunk.lastIndexOf(10)
    if (lastBreak === -1) {
      rest.push(chunk)
      restBytes += chunk.length
      if (restBytes < maxLineBytes) return
      output.write(render(Buffer.concat(rest)))
      rest = []
      restBytes = 0
    } else {
      const whole = chunk.subarray(0, lastBreak)
      output.write(render(restBytes === 0 ? whole : Buffer.concat([...rest, whole])))
      const remainder = chunk.subarray(lastBreak + 1)
      rest = remainder.length > 0 ? [remainder] : []
      restBytes = remainder.length
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
  text: ({ source, pid, streamName, now }) =>
    prefixer(() => `${new Date(now()).toISOString()} ${source}[${pid}] ${streamName}| `),
  short: ({ source, now }) => prefixer(() => `${timeOfDay(now())} ${source} | `),
}

function prefixer(prefixNow: () => string): Render {
  return lines => {
    const prefix = prefixNow()
    // latin1 maps each byte to one character and back, so no byte changes
    return Buffer.from(`${prefix}${lines.toString('latin1').replaceAll('\n', `\n${prefix}`)}\n`, 'latin1')
  }
}

function jsonRenderer({ source, pid, streamName, now }: RelayOptions): Render {
  return lines => {
    const head = `{"time":"${new Date(now()).toISOString()}","source":${JSON.stringify(source)},"pid":${pid},"stream":"${streamName}",`
    if (isUtf8(lines)) {
      return lines
        .toString()
        .split('\n')
        .map(line => `${head}"line":${JSON.stringify(line)}}\n`)
        .join('')
    }
    return splitLines(lines)
      .map(line =>
        isUtf8(line)
          ? `${head}"line":${JSON.stringify(line.toString())}}\n`
          : `${head}"line_base64":"${line.toString('base64')}"}\n`,
      )
      .join('')
  }
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
