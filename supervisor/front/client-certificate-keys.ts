import * as z from 'zod'
import { docs } from '../config/values.ts'

const file = z.string({ error: 'expected a file' }).regex(/^[^\0]+$/, 'expected a file')

/** The key `client_certificate` of a route. */
export const routeClientCertificate = z.enum(['required', 'optional'], { error: 'expected required or optional' })

/** The key `tls.client_certificates`. */
export const clientCertificates = z
  .strictObject({
    ca: file.optional().register(docs, {
      description:
        "PEM file with the CAs of client certificates, relative to the app's directory; read at startup and on each reload",
    }),
    mode: z
      .enum(['required', 'optional', 'off'], { error: 'expected required, optional or off' })
      .default('required')
      .register(docs, {
        description:
          'required: clients without a certificate get 403; optional: they are served too, and headers show the result to the app. Routes can override this. Health and ACME challenges are open to everyone. off: no certificate is requested, not even for routes',
      }),
    crl: file.optional().register(docs, {
      description: 'PEM file with certificate revocation lists, one for each CA; read like ca',
    }),
  })
  .superRefine(({ ca, mode }, context) => {
    if (ca === undefined && mode !== 'off')
      context.addIssue({ code: 'custom', path: ['ca'], message: 'expected a file with the CAs of client certificates' })
  })
  .optional()

interface Context {
  https: 'redirect' | 'on' | 'off'
  tls: { client_certificates?: z.output<typeof clientCertificates> }
  /** A malformed route is undefined. */
  routes: readonly ({ settings: { client_certificate?: unknown } } | undefined)[] | undefined
}

/** Problems of keys that cannot be combined. */
export function describeClientCertificateProblems({ https, tls, routes = [] }: Context) {
  const problems: { path: (string | number)[]; message: string; params: { fix: string } }[] = []
  const isRequested = tls.client_certificates && tls.client_certificates.mode !== 'off'
  if (isRequested && https === 'off')
    problems.push({
      path: ['tls', 'client_certificates'],
      message: 'are never requested with https: off',
      params: { fix: 'set tls.client_certificates.mode to off, or https to redirect or on' },
    })
  for (const [index, route] of routes.entries()) {
    if (tls.client_certificates || route?.settings.client_certificate === undefined) continue
    problems.push({
      path: ['routes', index, 'client_certificate'],
      message: 'has no CA to check certificates against',
      params: { fix: 'set tls.client_certificates.ca' },
    })
  }
  return problems
}
