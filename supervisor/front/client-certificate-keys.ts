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
        "PEM file with the CAs that certificates of clients may come from, relative to the app's directory; read at the start and at each reload",
    }),
    mode: z
      .enum(['required', 'optional', 'off'], { error: 'expected required, optional or off' })
      .default('required')
      .register(docs, {
        description:
          'required: who has none gets 403; optional: is served all the same, and the app is told. A route can say otherwise. Health and what an ACME CA asks for are for anybody. off: nobody is asked, whatever routes say',
      }),
    crl: file.optional().register(docs, {
      description: 'PEM file with revoked certificates, one list for each CA; read as ca is',
    }),
  })
  .superRefine(({ ca, mode }, context) => {
    if (ca === undefined && mode !== 'off')
      context.addIssue({ code: 'custom', path: ['ca'], message: 'expected a file with the CAs of clients' })
  })
  .optional()

interface Context {
  https: 'redirect' | 'on' | 'off'
  tls: { client_certificates?: z.output<typeof clientCertificates> }
  /** Undefined stands for one that is not well-formed by itself. */
  routes: readonly ({ settings: { client_certificate?: unknown } } | undefined)[] | undefined
}

/** What of them does not go together. */
export function describeClientCertificateProblems({ https, tls, routes = [] }: Context) {
  const problems: { path: (string | number)[]; message: string; params: { fix: string } }[] = []
  const isAsked = tls.client_certificates && tls.client_certificates.mode !== 'off'
  if (isAsked && https === 'off')
    problems.push({
      path: ['tls', 'client_certificates'],
      message: 'are never asked for with https: off',
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
