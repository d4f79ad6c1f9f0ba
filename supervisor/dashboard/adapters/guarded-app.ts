import express, { type Express } from 'express'
import { type Access, createGuard, createLimits } from './guard.ts'
import { createPageRoute, type PageRoutesDeps } from './page-routes.ts'
import { sendErrors } from './rejection.ts'

/** Dependencies of the guarded app. */
export interface GuardedAppDeps extends Pick<PageRoutesDeps, 'home'> {
  access(): Access
  /** The admin API with the feed of the page. */
  api: Express
}

/** The status page and the guarded admin API. */
export function createGuardedApp({ home, access, api }: GuardedAppDeps): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(createLimits())
  app.use(createPageRoute({ home }))
  app.use(createGuard(access))
  app.use(api)
  app.use(sendErrors)
  return app
}
