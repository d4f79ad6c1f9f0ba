import { callLua, quote } from '../../nginx/text.ts'

/** nginx's counter of the time in which workers processed requests, read on a unix socket that nginx inherits. */
export interface BusyCounter {
  /** Path of the unix socket. */
  socket: string
  /** Apps with a counter. */
  apps: string[]
  /** Those of them that sleep while nobody uses them. */
  sleepers: string[]
}

/**
 * Lines for the http block: the counters, and a server that returns a line for each app, `app 12.345` (seconds), and one for each that sleeps,
 * `!app 67.890` (seconds since its last request ended).
 */
export function renderBusyCounter({ socket }: BusyCounter): string[] {
  return [
    '',
    '# app.workers',
    'lua_shared_dict monohull_busy 64k;',
    'server {',
    `    listen ${quote(`unix:${socket}`)} backlog=64;`,
    '    access_log off;',
    '    location / {',
    `        ${callLua('content', 'busy.report')}`,
    '    }',
    '}',
  ]
}

/** Counter of one app, in seconds, from the socket's response; 0 before its first request. */
export function readBusySeconds(text: string, app: string): number {
  const line = text.split('\n').find(candidate => candidate.startsWith(`${app} `))
  return Number(line?.slice(app.length + 1)) || 0
}

/** Time since the last request to an app ended, in ms, from the socket's response; undefined before its first request. */
export function readQuietMs(text: string, app: string): number | undefined {
  const line = text.split('\n').find(candidate => candidate.startsWith(`!${app} `))
  return line === undefined ? undefined : Math.max(0, Number(line.slice(app.length + 2)) * 1000)
}
