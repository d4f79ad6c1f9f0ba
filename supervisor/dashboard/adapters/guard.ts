import { createHash, timingSafeEqual } from 'node:crypto'
import express, { type Request, type RequestHandler } from 'express'
import { ipKeyGenerator, type RateLimitRequestHandler, rateLimit } from 'express-rate-limit'
import helmet from 'helmet'
import { isLocalHost } from '../../base/loopback.ts'
import { describeJsonProblem } from '../json-problem.ts'
import { isSameOrigin } from '../same-origin.ts'
import { reject } from './rejection.ts'

const minuteMs = 60_000
const mostRequests = 600
const mostWrongTokens = 20
const longestBody = '1mb'
/** State changes by TCP, by the beginning of their path. A profile or an inspector would show the memory of a worker. */
const changes = new Set([
  ...['reload', 'restart', 'scale', 'certificates', 'purge', 'routes', 'jobs'],
  ...['maintenance', 'pause', 'resume'],
])

/** What requests by TCP may do, under the settings in force. */
export interface Access {
  token?: string | undefined
  actions: boolean
  /** Whether a route leads here, with a guard that nginx has checked. */
  isBehindRoute?: boolean
}

/** Headers and limits for every request, the page itself included. */
export function createLimits(): RequestHandler[] {
  return [
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"] } },
      strictTransportSecurity: false,
    }),
    limitTo(mostRequests, `more than ${mostRequests} requests in a minute came from your address`),
  ]
}

/** Checks of requests for data and of state changes; `mayGoOn` in `locals` tells a stream whether its token still counts. Each rejection is JSON with its reason and fix. */
export function createGuard(access: () => Access): RequestHandler[] {
  const tooManyWrong = 'too many requests with a wrong token came from your address'
  const wrongTokens = limitTo(mostWrongTokens, tooManyWrong)
  return [
    (request, response, next) => {
      const { token, isBehindRoute = false } = access()
      const host = request.get('host')
      if (token === undefined)
        return isBehindRoute || isLocalHost(host)
          ? next()
          : reject(
              response,
              403,
              `the name ${host} could be that of a hostile page`,
              'use localhost or an IP address, or set admin.token',
            )
      const given = tokenOf(request)
      // not limited: whoever shares an address with the wrong ones must not be locked out by them
      if (given !== undefined && isEqual(given, token)) {
        response.locals.mayGoOn = () => access().token === token
        return next()
      }
      const rejectToken = () => {
        response.set('www-authenticate', 'Bearer realm="monohull"')
        const reason = given === undefined ? 'the token is missing' : 'the token is wrong'
        reject(response, 401, reason, 'send the header Authorization: Bearer TOKEN with the value of admin.token')
      }
      // a page that asks for the token has sent none
      if (given === undefined) rejectToken()
      else wrongTokens(request, response, rejectToken)
    },
    (request, response, next) => {
      if (request.method === 'GET' || request.method === 'HEAD') return next()
      if (!isSameOrigin(request.headers))
        return reject(response, 403, 'it comes from a page of another origin', 'open the status page itself')
      if (!access().actions)
        return reject(
          response,
          403,
          'the status page is read-only',
          'set admin.actions: true with a token and reload, or use the monohull command',
        )
      if (!changes.has(request.path.split('/')[1] ?? ''))
        return reject(
          response,
          403,
          `${request.method} ${request.path} is not available here: it is only for the socket in run_dir, or does not exist`,
          'use the monohull command',
        )
      next()
    },
    express.text({ type: () => true, limit: longestBody }),
    expectJson,
  ]
}

/** Rejects a body that says that it is JSON, and is not. The text stays as it is. */
const expectJson: RequestHandler = (request, response, next) => {
  if (!request.is('json') || typeof request.body !== 'string' || request.body === '') return next()
  const problem = describeJsonProblem(request.body)
  if (problem === undefined) return next()
  reject(response, 400, `the body is not valid JSON: ${problem}`)
}

function limitTo(limit: number, reason: string): RateLimitRequestHandler {
  return rateLimit({
    windowMs: minuteMs,
    limit,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    keyGenerator: addressOf,
    handler: (_request, response) => reject(response, 429, reason, 'wait for a minute'),
  })
}

/** Address of a client, with its neighbours in an IPv6 network; on a unix socket, nginx names it. */
function addressOf(request: Request): string {
  return ipKeyGenerator(request.ip ?? request.get('x-real-ip') ?? '')
}

/** Token of a request. The page uses a header of its own: behind a route with a password, `Authorization` has that. */
function tokenOf(request: Request): string | undefined {
  return request.get('monohull-token') ?? /^Bearer +(\S+)$/i.exec(request.get('authorization') ?? '')?.[1]
}

/** Comparison in a time that says nothing about the texts. */
function isEqual(one: string, other: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest()
  return timingSafeEqual(digest(one), digest(other))
}
