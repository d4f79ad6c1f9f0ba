import express, { type Request, type Response, type Router } from 'express'
import type { Feed, Position } from '../feed.ts'
import { type PageFile, readPage } from './page-file.ts'

/** Most bytes that wait for a page that does not read. */
const mostWaiting = 4_000_000

/** Dependencies of the page and its feed. */
export interface PageRoutesDeps {
  /** Directory of the installation. */
  home: string
  feed(): Promise<Feed>
}

/** The page itself, which contains no data: `GET /`. */
export function createPageRoute({ home }: Pick<PageRoutesDeps, 'home'>): Router {
  let page: PageFile | undefined
  const router = express.Router()
  router.get('/', (request, response) => {
    page ??= readPage(home)
    const isCompressed = request.acceptsEncodings('gzip') === 'gzip'
    response.set({
      'content-security-policy': page.policy,
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
      vary: 'accept-encoding',
      ...(isCompressed ? { 'content-encoding': 'gzip' } : {}),
    })
    response.end(isCompressed ? page.compressed : page.text)
  })
  return router
}

/** Server-sent events for the page (https://html.spec.whatwg.org/multipage/server-sent-events.html): `GET /feed`. */
export function createFeedRoute({ feed }: Pick<PageRoutesDeps, 'feed'>): Router {
  const router = express.Router()
  router.get('/feed', async (request, response) => stream(await feed(), request, response))
  return router
}

function stream(feed: Feed, request: Request, response: Response): void {
  response.writeHead(200, {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    // nginx passes each event on at once
    'x-accel-buffering': 'no',
  })
  response.flushHeaders()
  const leave = feed.subscribe(
    (text, position) => {
      // the token has changed: the page asks for it
      if (response.locals.mayGoOn?.() === false) return void response.end()
      // it comes back, and gets what it has missed
      if (response.writableLength > mostWaiting) response.destroy()
      else response.write(`id: ${writePosition(position)}\ndata: ${text}\n\n`)
    },
    readPosition(request.get('last-event-id')),
  )
  response.once('close', leave)
}

function writePosition({ run, at, log, event }: Position): string {
  return [run, at, log, event].join('.')
}

/** Position that a page sends back; undefined for any other text. */
function readPosition(text = ''): Position | undefined {
  const [, run, at, log, event] = /^([\w-]{1,40})\.(\d{1,16})\.(\d{1,16})\.(\d{1,16})$/.exec(text) ?? []
  return run === undefined ? undefined : { run, at: Number(at), log: Number(log), event: Number(event) }
}
