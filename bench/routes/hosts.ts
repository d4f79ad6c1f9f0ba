import { request } from 'node:http'
import type { Running } from '../stacks/stack.ts'

/** Host with a number. */
export const hostOf = (number: number) => `h${number}.example.com`

/** Routes of the first hosts to one target. */
export function routesTo(target: string, count: number): Map<string, string> {
  return new Map(Array.from({ length: count }, (_, index) => [hostOf(index + 1), target]))
}

/** Configuration with one configured host, and dynamic routes for all others. */
export function configOf(port: number, store: string): string {
  return [
    'https: off',
    'server_names: [static.example.com]',
    `upstreams: { static: { servers: ["127.0.0.1:${port}"], keepalive: 128 } }`,
    'routes: [{ upstream: static }]',
    `dynamic_routes: { store: "${store}" }`,
    '',
  ].join('\n')
}

/** Hosts that wrk requests: some of the first ones at random, each of them in order, one configured host at the same cost, or hosts without a route. */
export function requestsFor(hosts: 'random' | 'in order' | 'static' | 'unknown', count: number): string {
  const number = hosts === 'in order' ? `number % ${count} + 1` : `math.random(${count})`
  const name = { static: "number > 0 and 'static' or ''", unknown: "'x' .. number" }[hosts as string] ?? "'h' .. number"
  return `local number = 0
function request()
  number = ${number}
  return 'GET / HTTP/1.1\\r\\nHost: ' .. (${name}) .. '.example.com\\r\\n\\r\\n'
end`
}

/** Body of the response for a host; empty without one. */
export function bodyOf({ httpPort }: Pick<Running, 'httpPort'>, host: string): Promise<string> {
  return new Promise(resolve => {
    const sent = request({ host: '127.0.0.1', port: httpPort, headers: { host } }, response => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        body += part
      })
      response.on('error', () => resolve(''))
      response.once('end', () => resolve(body))
    })
    sent.once('error', () => resolve(''))
    sent.end()
  })
}
