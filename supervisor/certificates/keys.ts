import * as z from 'zod'
import { canonicalAddress, isIpv6 } from '../base/address.ts'
import { isNumeric } from '../base/host-name.ts'
import { absolutePath, command, docs, hostNameOrAddress } from '../config/values.ts'
import { hsts } from './hsts/keys.ts'
import { namedHosts } from './named-hosts.ts'
import { onDemand } from './on-demand/keys.ts'

const domains = 'expected a list of domains, such as [example.com, [shop.example.com, www.shop.example.com]]'

const directory = 'expected letsencrypt, letsencrypt-staging or the https URL of a directory'

const acmeDirectory = z
  .string({ error: directory })
  .regex(/^(letsencrypt|letsencrypt-staging|https:\/\/[^\s/]+\/\S*)$/, directory)

/** Keys of a CA and of the account there. */
const authority = {
  email: z
    .email({ error: 'expected an email address' })
    .optional()
    .register(docs, { description: 'Address for messages from the CA about problems' }),
  ca_file: absolutePath.optional().register(docs, {
    description: "PEM file of root certificates for HTTPS requests to the directory, instead of Node's built-in roots",
  }),
  profile: z
    .string({ error: 'expected the name of a profile' })
    .regex(/^[A-Za-z0-9._-]+$/, 'expected the name of a profile')
    .optional()
    .register(docs, { description: 'Certificate profile that the CA offers, such as shortlived' }),
  eab: z
    .strictObject({
      key_id: z
        .string({ error: 'expected the key id that the CA gave' })
        .regex(/^[\x21-\x7e]+$/, 'expected the key id that the CA gave')
        .register(docs, { description: 'External account binding: key id' }),
      hmac_key: z
        .string({ error: 'expected the key that the CA gave' })
        .regex(/^[A-Za-z0-9_-]+=*$/, 'expected a key in base64url')
        .register(docs, {
          description: 'External account binding: key in base64url. It is a secret, so prefer its variable with _FILE',
        }),
    })
    .meta({ secret: true })
    .optional(),
}

const acme = z
  .strictObject({
    domains: z
      .array(
        z.union([hostNameOrAddress, z.array(hostNameOrAddress).min(1, domains).max(100, domains)], { error: domains }),
        {
          error: domains,
        },
      )
      .optional()
      .register(docs, {
        description:
          'One certificate for each entry, a host name or an IP address; a list inside the list is one certificate for all of its names; default: server_names and the hosts of routes',
      }),
    directory: acmeDirectory.default('letsencrypt').register(docs, {
      description:
        'The CA: letsencrypt, letsencrypt-staging (for tests) or the URL of an ACME directory. By using a CA you agree to its terms',
    }),
    ...authority,
    fallback: z
      .strictObject({
        directory: acmeDirectory.register(docs, {
          description:
            'The CA to use while the first one fails: like directory. It needs an account of its own, so it may need eab',
        }),
        ...authority,
      })
      .optional(),
    preferred_chain: z
      .string({ error: 'expected the common name of a CA' })
      .regex(/^[^\0\n]+$/, 'expected the common name of a CA')
      .optional()
      .register(docs, {
        description:
          'Common name of the root CA at which the chain should end, such as ISRG Root X1, if the CA offers several chains. Used from the next renewal on',
      }),
    key_type: z
      .enum(['ecdsa', 'rsa'], { error: 'expected ecdsa or rsa' })
      .default('ecdsa')
      .register(docs, { description: 'Key type of the certificates: ecdsa (P-256) or rsa (2048 bits)' }),
    challenge: z
      .enum(['http-01', 'tls-alpn-01', 'dns-01'], { error: 'expected http-01, tls-alpn-01 or dns-01' })
      .default('http-01')
      .register(docs, {
        description:
          'How the CA validates a domain: http-01: a request to its port 80; tls-alpn-01: a handshake at its port 443; dns-01: a DNS record, which dns_hook sets',
      }),
    dns_hook: command.optional().register(docs, {
      description:
        'Program for dns-01, run with `add NAME VALUE`; it must return once the TXT record is visible everywhere. Later it is run with `remove NAME VALUE`',
    }),
  })
  .optional()

/** Keys under `tls` that apply to every certificate. */
export const tlsKeys = {
  required: z.boolean({ error: 'expected true or false' }).default(false).register(docs, {
    description: 'Refuse to start if cert_dir has no usable certificate, instead of serving one from the local CA',
  }),
  profile: z
    .enum(['intermediate', 'modern'], { error: 'expected intermediate or modern' })
    .default('intermediate')
    .register(docs, {
      description:
        "Mozilla's TLS profile: intermediate: TLS 1.2 and 1.3, for all clients since 2014; modern: TLS 1.3 only",
    }),
  hsts,
}

/** Keys under `tls` for certificates that a CA issues. */
export const issuedKeys = {
  acme,
  on_demand: onDemand,
}

interface TlsContext {
  routes?: readonly { host?: string | undefined; path: string; match: string }[] | undefined
  https: 'redirect' | 'on' | 'off'
  server_names: readonly string[]
  tls: TlsConfig
}

const challengePath = '/.well-known/acme-challenge'

/** Keys under `tls` that contradict each other or other keys. */
export function describeTlsProblems(context: TlsContext) {
  const { https } = context
  const { required, acme: wanted, on_demand } = context.tls
  const found = (key: string, message: string, fix?: string) => ({
    path: ['tls', ...key.split('.')],
    message,
    params: { fix },
  })
  if (required && https === 'off') {
    const message = 'has no effect with https: off, which serves no certificate'
    return [found('required', message, 'remove it, or set https to redirect or on')]
  }
  if (!wanted)
    return on_demand ? [found('on_demand', 'expected tls.acme as well, such as {email: me@example.com}')] : []
  const names = wanted.domains?.flat().map(name => canonicalAddress(name) ?? name.toLowerCase()) ?? namedHosts(context)
  const problems = []
  if (https === 'off') {
    const fix = 'remove tls.acme, or set https to redirect or on'
    problems.push(found('acme', 'obtains certificates, and https: off serves none', fix))
  }
  if (required)
    problems.push(
      found('required', 'expected false with tls.acme, which starts before the first certificate is issued'),
    )
  if (names.length === 0 && !on_demand)
    problems.push(found('acme.domains', 'expected at least one domain, here or in server_names or a route'))
  if (wanted.fallback?.directory === wanted.directory)
    problems.push(found('acme.fallback.directory', 'expected another CA than tls.acme.directory'))
  if (wanted.challenge === 'dns-01' && !wanted.dns_hook)
    problems.push(found('acme.dns_hook', 'expected a program, because dns-01 needs one'))
  if (wanted.challenge !== 'dns-01' && wanted.dns_hook)
    problems.push(found('acme.dns_hook', 'expected no value unless challenge is dns-01'))
  if (wanted.challenge !== 'dns-01' && names.some(name => name.startsWith('*.')))
    problems.push(found('acme.challenge', 'expected dns-01, because a name with * needs it'))
  if (on_demand && wanted.challenge !== 'http-01')
    problems.push(
      found('acme.challenge', 'expected http-01 with tls.on_demand, because its names are in DNS zones of others'),
    )
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  const number = names.find(name => (isNumeric(name) || isIpv6(name)) && canonicalAddress(name) === undefined)
  if (number) problems.push(found('acme.domains', `expected host names and addresses, but ${number} is neither`))
  if (wanted.challenge !== 'http-01' && names.some(name => canonicalAddress(name) !== undefined))
    problems.push(found('acme.challenge', `expected http-01, because ${wanted.challenge} cannot validate an address`))
  if (twice)
    problems.push(
      found('acme.domains', `expected each domain once, but ${twice} is listed twice`, `remove one ${twice}`),
    )
  const taken = (context.routes ?? []).flatMap(({ path, match }, index) =>
    wanted.challenge === 'http-01' && match !== 'regex' && path.startsWith(challengePath)
      ? {
          path: ['routes', index, 'path'],
          message: 'is the path of ACME challenges, which tls.acme serves',
          params: { fix: 'remove the route, or set tls.acme.challenge to dns-01' },
        }
      : [],
  )
  return [...problems, ...taken]
}

/** Keys under `tls` after validation. */
export type TlsConfig = z.output<z.ZodObject<typeof tlsKeys & typeof issuedKeys>>
