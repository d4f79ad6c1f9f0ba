import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import * as grpc from '@grpc/grpc-js'
import { defer, type Monohull } from './monohull.ts'

/** Result of a call. */
export interface Call {
  text?: string
  trailer?: string | undefined
  code: number
  details?: string
}

/** Client of the fixture grpc.cjs; messages are text. */
export interface Client {
  unary(method: string, text?: string, options?: { deadlineMs?: number; metadata?: grpc.Metadata }): Promise<Call>
  chat(method?: string): grpc.ClientDuplexStream<string, string>
  list(method: string, text: string): grpc.ClientReadableStream<string>
  sum(): { stream: grpc.ClientWritableStream<string>; result: Promise<string> }
}

/** Client that trusts the local CA of an instance. `options` are those of a channel. */
export function connect(t: TestContext, monohull: Monohull, options: grpc.ChannelOptions = {}): Client {
  const { httpsPort } = monohull.instance()
  const credentials = grpc.credentials.createSsl(readFileSync(join(monohull.folder, 'state/local-ca.crt')))
  const client = new grpc.Client(`localhost:${httpsPort}`, credentials, options)
  defer(t, () => client.close())
  const write = (text: string) => Buffer.from(text)
  const read = (bytes: Buffer) => bytes.toString()
  return {
    unary: (method, text = 'x', { deadlineMs = 15_000, metadata = new grpc.Metadata() } = {}) =>
      new Promise(resolve => {
        const options = { deadline: Date.now() + deadlineMs }
        const call = client.makeUnaryRequest(method, write, read, text, metadata, options, (error, value) => {
          answer = error
            ? { code: error.code, details: error.details }
            : { code: 0, ...(value !== undefined && { text: value }) }
        })
        let answer: Call
        call.on('status', ({ metadata: sent }) => resolve({ ...answer, trailer: sent.get('x-trailer')[0]?.toString() }))
      }),
    chat: (method = '/test.Echo/Chat') => client.makeBidiStreamRequest(method, write, read),
    list: (method, text) => client.makeServerStreamRequest(method, write, read, text),
    sum() {
      let stream: grpc.ClientWritableStream<string> | undefined
      const result = new Promise<string>((resolve, reject) => {
        stream = client.makeClientStreamRequest('/test.Echo/Sum', write, read, (error, value) =>
          error ? reject(error) : resolve(value ?? ''),
        )
      })
      return { stream: stream as unknown as grpc.ClientWritableStream<string>, result }
    },
  }
}
