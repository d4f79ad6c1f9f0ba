/** Fields of ours in a line of a program, as the texts of JSON. */
export interface OwnFields {
  time: string
  source: string
  pid: string
  stream: string
}

const text = String.raw`"[^"\\\x00-\x1f]*"`
const scalar = String.raw`(?:${text}|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)`
/** JSON object of scalars without escapes, as most lines are. Parsing them takes several times as long. */
const flatObject = new RegExp(`^\\{(?:${text}:${scalar}(?:,(?=")|(?=\\})))+\\}$`)
/** One of our keys in such an object: no text of it contains a quote. */
const ourKey = /"(?:time|pid|source|stream)":/
/** Longer lines are parsed: the pattern needs memory for each field. */
const longestFlat = 4096

/**
 * Line of a program as JSON. One that is a JSON object keeps its fields, byte for byte, beside ours: its own `time` and `pid` replace
 * ours, its `source` and `stream` become `app_source` and `app_stream`. Any other is the text `line`.
 */
export function jsonLine(line: string, own: OwnFields): string {
  return rendered(line, own, headOf(own))
}

/** Each of several lines as JSON. */
export function jsonLines(lines: string, own: OwnFields): string {
  const head = headOf(own)
  let all = ''
  for (const line of lines.split('\n')) all += rendered(line, own, head)
  return all
}

/** Line that is not UTF-8. */
export function base64Line(line: Buffer, own: OwnFields): string {
  return `${headOf(own)},"line_base64":"${line.toString('base64')}"}\n`
}

function rendered(line: string, own: OwnFields, head: string): string {
  if (line.charCodeAt(0) === 123) {
    if (line.length <= longestFlat && flatObject.test(line) && !ourKey.test(line)) return `${head},${line.slice(1)}\n`
    const fields = parsed(line)
    if (fields) return beside(fields, line, own)
  }
  return `${head},"line":${JSON.stringify(line)}}\n`
}

function parsed(line: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function headOf({ time, source, pid, stream }: OwnFields, fields: object = {}): string {
  const first = Object.hasOwn(fields, 'time') ? '' : `"time":${time},`
  return `{${first}"source":${source},${Object.hasOwn(fields, 'pid') ? '' : `"pid":${pid},`}"stream":${stream}`
}

function beside(fields: Record<string, unknown>, line: string, own: OwnFields): string {
  const isOurs = Object.hasOwn(fields, 'source') || Object.hasOwn(fields, 'stream')
  const object = isOurs ? renamed(fields) : line
  const inner = object.slice(1, object.lastIndexOf('}'))
  return `${headOf(own, fields)}${inner.trim() === '' ? '' : ','}${inner}}\n`
}

function renamed({ source, stream, ...rest }: Record<string, unknown>): string {
  return JSON.stringify({ ...rest, app_source: source, app_stream: stream })
}
