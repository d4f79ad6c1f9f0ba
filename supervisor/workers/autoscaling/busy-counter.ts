import { callLua, quote } from '../../nginx/text.ts'

/** How nginx counts the time that workers took to answer: read at a unix socket, which is bound for it. */
export interface BusyCounter {
  /** Path of the unix socket. */
  socket: string
  /** The apps that it is counted for. */
  apps: string[]
}

/** For the http block: where seconds are counted, and where they are read: a line for each app, `app 12.345`. */
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

/** For the location of an app: adds up how long its workers took, all tries of a request together. */
export function renderBusyLocation(app: string): string[] {
  return [callLua('log', 'busy.count', app)]
}

/** The counter of one app in what the socket answered; 0 before its first request. */
export function readBusySeconds(text: string, app: string): number {
  const line = text.split('\n').find(candidate => candidate.startsWith(`${app} `))
  return Number(line?.slice(app.length + 1)) || 0
}
