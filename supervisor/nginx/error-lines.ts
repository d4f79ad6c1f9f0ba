import { validText } from '../base/valid-text.ts'
import { explainMismatch } from './mismatch.ts'

/** Name of a worker for an address in nginx's form; undefined if it is none of ours. */
export type WorkerAt = (address: string) => string | undefined

/** Options of `createErrorLines`. */
export interface ErrorLinesOptions {
  now: () => number
  workerAt: WorkerAt
  /** Removes what must not be in a log. */
  redact?: (message: string) => string
}

interface ErrorRecord {
  level: string
  pid: number | undefined
  message: string
}

const head = /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d \[(\w+)\] (\d+)#\d+: (?:\*\d+ )?/
/** Head of a message before nginx has opened its log. */
const bareHead = /^nginx: \[(\w+)\] /
/** A message that quotes what a client sent byte for byte, line breaks included, and its end. */
const quotesClient = / broken header: "/
const quoteEnd = /" while reading PROXY protocol, client: \S+, server: \S+$/

const asIs = (message: string): string => message

/** Renderer of nginx's own lines as JSON: each message is one line, with its level, and with the worker or upstream that it is about. */
export function createErrorLines({ now, workerAt, redact = asIs }: ErrorLinesOptions): (lines: Buffer) => string {
  return lines => {
    const time = new Date(now()).toISOString()
    return messagesOf(validText(lines))
      .map(message => readMessage(redact(message)))
      .map(({ level, pid, message }) => {
        const about = { ...peerOf(message, workerAt), explanation: explainMismatch(message) }
        const record = { time, source: 'nginx', pid, stream: 'error', level, ...about, message }
        return `${JSON.stringify(record)}\n`
      })
      .join('')
  }
}

/** nginx's lines with the name of the worker, and an explanation of a wrong protocol, at the end of those about one. All other bytes stay unchanged, unless `redact` changes them. */
export function nameWorkers(lines: Buffer, workerAt: WorkerAt, redact = asIs): Buffer {
  // latin1 maps each byte to one character and back
  const named = messagesOf(lines.toString('latin1')).map(found => {
    const message = redact(found)
    const own = head.exec(message)
    if (!own) return `${message}\n`
    const { worker } = peerOf(message, workerAt)
    const explanation = explainMismatch(message.slice(own[0].length))
    const more = [worker && `, worker: "${worker}"`, explanation && `, explanation: "${explanation}"`]
    return `${message}${more.filter(Boolean).join('')}\n`
  })
  return Buffer.from(named.join(''), 'latin1')
}

/** nginx's messages in its lines, without their heads. */
export function messagesIn(lines: Buffer): string[] {
  return messagesOf(lines.toString('latin1')).map(message => readMessage(message).message)
}

/** nginx's messages. A client can put line breaks into some; what follows such a break belongs to the message. */
function messagesOf(text: string): string[] {
  const messages: string[] = []
  let isQuoting = false
  for (const line of text.replace(/\n$/, '').split('\n')) {
    const isHead = head.test(line) || bareHead.test(line)
    if (messages.length > 0 && (isQuoting || !isHead)) messages.push(`${messages.pop()}\n${line}`)
    else messages.push(line)
    const message = messages.at(-1) ?? ''
    isQuoting = quotesClient.test(message) && !quoteEnd.test(message)
  }
  return messages
}

function readMessage(message: string): ErrorRecord {
  const own = head.exec(message)
  if (own) return { level: own[1] ?? '', pid: Number(own[2]), message: message.slice(own[0].length) }
  const bare = bareHead.exec(message)
  return { level: bare?.[1] ?? 'error', pid: undefined, message: message.slice(bare?.[0].length ?? 0) }
}

/** The worker or upstream that a message is about. The text before `upstream:` is the client's, so its last occurrence counts. */
function peerOf(message: string, workerAt: WorkerAt): { worker?: string; upstream?: string } {
  const [, address] = /^[\s\S]*, upstream: "[a-z]+:\/\/(unix:[^":]+|\[[^\]"]+\](?::\d+)?|[^/"]+)/.exec(message) ?? []
  if (address === undefined) return {}
  const worker = workerAt(address)
  return worker === undefined ? { upstream: address } : { worker }
}
