import * as z from 'zod'
import { httpPath, optionalPort } from '../config/values.ts'

/** Keys of the health checks. */
export const health = z
  .strictObject({
    live_path: httpPath(
      'Path that returns 200 while the supervisor and nginx are alive; off leaves it to the app',
      '/healthz',
    ),
    ready_path: httpPath(
      'Path that returns 200 while each app with a route has a ready worker and no stop is in progress, else 503; off leaves it to the app',
      '/readyz',
    ),
    port: optionalPort(
      'Port for these two paths alone, in plain HTTP and without a PROXY protocol header, for probes while proxy_protocol is set; default: none',
    ),
  })
  .superRefine((value, context) => {
    if (value.live_path === value.ready_path && value.live_path !== 'off') {
      context.addIssue({
        code: 'custom',
        path: ['ready_path'],
        message: 'expected a path other than health.live_path',
      })
    }
  })
  .prefault({})
